"""Webhooks over real HTTP, signed by the packages that providers and their customers use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import standardwebhooks
import stripe
from litestar import Litestar
from returns.result import Result, Success

from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    MemoryStore,
    Secret,
    SQLiteStore,
    Webhook,
    WebhookCall,
    WebhookFailed,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.webhook.inbox import NewEvent, Recorded
from igniter_connectors.core.webhook.payload import ReadPayload, Tag, payload_reader
from igniter_connectors.core.webhook.schemes import BodyFormat
from igniter_connectors.ports import Store
from igniter_connectors.problems import WebhookNotConfigured, WebhookNotFound, WebhookSecretInvalid
from igniter_connectors.testing import sign_webhook
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import STRIPE, DeliveryLimits, StandardWebhooks, WebhookEndpoint
from tests.sample import CANARY, KEYRING, Organization, bot, running_bot
from tests.web.documented import Documented
from tests.web.served import bound_socket, port_of, served

ACME = Organization("acme")


class MailConfig(msgspec.Struct, frozen=True):
    """A config with only a secret."""

    key: Secret


class ShopConfig(msgspec.Struct, frozen=True):
    """The config of another connector."""

    key: Secret


class Subscribed(msgspec.Struct, frozen=True, tag_field="type", tag="subscribed"):
    """One kind of event."""

    email: str


class Left(msgspec.Struct, frozen=True, tag_field="type", tag="left"):
    """Another kind of event."""

    email: str
    reason: str = ""


class Paid(msgspec.Struct, frozen=True):
    """The event of a shop."""

    id: str
    amount: int


@dataclass
class Received:
    """What the handlers received."""

    mail: list[tuple[Subscribed | Left, str, str]] = field(default_factory=list)
    shop: list[Paid] = field(default_factory=list)
    fails: bool = False


@dataclass
class Post:
    """The application and its two endpoints."""

    connectors: Connectors[MailConfig | ShopConfig, Organization]
    mail: WebhookEndpoint
    shop: WebhookEndpoint
    received: Received
    http: httpx.AsyncClient


@asynccontextmanager
async def post_office(
    store: Store | None = None, *, limits: DeliveryLimits | None = None
) -> AsyncGenerator[Post, None]:
    """Two connectors with webhooks, connected for one tenant, behind real HTTP."""
    received = Received()

    async def on_mail(
        call: WebhookCall[MailConfig, object, Subscribed | Left],
    ) -> Result[None, WebhookFailed]:
        if received.fails:
            raise RuntimeError(call.config.key.reveal())
        assert call.tenant == ACME
        received.mail.append((call.payload, call.event_id, call.config.key.reveal()))
        return Success(None)

    async def on_shop(
        call: WebhookCall[ShopConfig, object, Paid],
    ) -> Result[None, WebhookFailed]:
        received.shop.append(call.payload)
        return call.failed("out of stock") if received.fails else Success(None)

    mail = (
        Connector.create("mail")
        .with_config(MailConfig)
        .with_webhook(
            Webhook(
                payload=Subscribed | Left,
                verification=StandardWebhooks(),
                handler=on_mail,
                body_limit_bytes=4096,
            )
        )
        .build()
    )
    shop = (
        Connector.create("shop")
        .with_config(ShopConfig)
        .with_webhook(Webhook(payload=Paid, verification=STRIPE, handler=on_shop))
        .build()
    )
    listener = bound_socket()
    origin = f"http://127.0.0.1:{port_of(listener)}"
    connectors = (
        ConnectorManager.create()
        .with_database(store or MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(origin)
        .with_delivery_limits(limits or DeliveryLimits())
        .add_scope(Organization)
        .add_connector(mail)
        .add_connector(shop)
        .build()
    )
    app = Litestar(plugins=[ConnectorsPlugin(connectors)], logging_config=None)
    hooks = {"response": [Documented(app).check]}
    async with served(app, listener), httpx.AsyncClient(event_hooks=hooks) as http:
        acme = connectors.scope(ACME)
        value_or_raise(await acme.at(mail).connect(MailConfig(Secret(CANARY))))
        value_or_raise(await acme.at(shop).connect(ShopConfig(Secret(CANARY))))
        yield Post(
            connectors,
            value_or_raise(await acme.at(mail).create_webhook()),
            value_or_raise(
                await acme.at(shop).create_webhook(signing_secret=Secret("whsec_from_stripe"))
            ),
            received,
            http,
        )


def standard_headers(secret: Secret, body: str, event_id: str = "msg_1") -> dict[str, str]:
    """Headers signed by the reference implementation."""
    now = datetime.now(UTC)
    signature = standardwebhooks.Webhook(secret.reveal()).sign(event_id, now, body)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }


def stripe_header(secret: str, body: str) -> dict[str, str]:
    """A header signed by Stripe's own SDK."""
    timestamp = int(datetime.now(UTC).timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{timestamp}.{body}", secret)
    header = f"t={timestamp},v1={signature},v0=ignored"
    stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300)
    return {"stripe-signature": header}


SUBSCRIBED = '{ "type":"subscribed",\n"email":"a\\u0040b.example", "email":"last@wins.example"}'


async def test_a_genuine_webhook_is_decoded_for_its_handler() -> None:
    """Unusual spacing, escapes and repeated keys are no problem: the raw bytes are signed."""
    async with post_office() as post:
        headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        answer = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        await post.connectors.settled()
        assert post.received.mail == [(Subscribed("last@wins.example"), "msg_1", CANARY)]
        left = '{"type":"left","email":"a@b.example","reason":"noise"}'
        headers = standard_headers(post.mail.signing_secret, left, "msg_2")
        await post.http.post(post.mail.url.reveal(), content=left, headers=headers)
        await post.connectors.settled()
        assert post.received.mail[1][0] == Left("a@b.example", "noise")


async def test_a_signature_of_stripes_sdk_is_accepted() -> None:
    """The declared scheme agrees with the SDK of the provider."""
    async with post_office() as post:
        body = '{"id":"in_1","amount":7}'
        answer = await post.http.post(
            post.shop.url.reveal(), content=body, headers=stripe_header("whsec_from_stripe", body)
        )
        assert answer.status_code == 204
        await post.connectors.settled()
        assert post.received.shop == [Paid("in_1", 7)]


async def test_a_forged_webhook_is_refused_before_anything_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong secret, a changed body, time or id, or no header gives a 401.

    The decoder does not run.
    """
    decoded = 0

    def counting(kind: type[object], body_format: BodyFormat) -> ReadPayload[object]:
        read = payload_reader(kind, body_format)

        def counted(body: bytes, tag: Tag | None = None) -> object:
            nonlocal decoded
            decoded += 1
            return read(body, tag)

        return counted

    monkeypatch.setattr("igniter_connectors.core.webhook.event_type.payload_reader", counting)
    async with post_office() as post:
        good = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        other = standard_headers(Secret("whsec_" + "QUJD" * 8), SUBSCRIBED)
        forgeries: list[tuple[str, dict[str, str]]] = [
            (SUBSCRIBED, other),
            (SUBSCRIBED + " ", good),
            (SUBSCRIBED.replace("last", "evil"), good),
            (SUBSCRIBED, {**good, "webhook-id": "msg_2"}),
            (SUBSCRIBED, {**good, "webhook-timestamp": "1"}),
            (SUBSCRIBED, {**good, "webhook-timestamp": "x"}),
            (SUBSCRIBED, {**good, "webhook-signature": ""}),
            (SUBSCRIBED, {**good, "webhook-signature": "v1"}),
            (SUBSCRIBED, {**good, "webhook-signature": good["webhook-signature"][:-2]}),
            (SUBSCRIBED, {**good, "webhook-signature": "v0" + good["webhook-signature"][2:]}),
            (SUBSCRIBED, {}),
        ]
        for body, headers in forgeries:
            answer = await post.http.post(post.mail.url.reveal(), content=body, headers=headers)
            assert answer.status_code == 401, headers
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "CONNECTOR_WEBHOOK_VERIFICATION_FAILED"
        await post.connectors.settled()
        assert (decoded, post.received.mail) == (0, [])
        await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=good)
        await post.connectors.settled()
        assert (decoded, len(post.received.mail)) == (1, 1)


async def test_an_unknown_address_is_a_404() -> None:
    """An unknown token, another connector's token, no token, a connector without webhooks."""
    async with post_office() as post:
        url = post.mail.url.reveal()
        token = url.rpartition("/")[2]
        origin = f"http://{urlsplit(url).netloc}"
        for path in (
            f"/webhooks/mail/{'A' * 43}",
            f"/webhooks/shop/{token}",
            f"/webhooks/mail/{token}x",
            f"/webhooks/mail/{token}/x",
            "/webhooks/mail",
            "/webhooks/",
            f"/webhooks/nothing/{token}",
        ):
            headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
            answer = await post.http.post(origin + path, content=SUBSCRIBED, headers=headers)
            assert answer.status_code == 404, path
        # Not with `post.http`: the document describes no probes.
        async with httpx.AsyncClient() as provider:
            for method, status in (("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("PUT", 405)):
                assert (await provider.request(method, url)).status_code == status
                unknown = await provider.request(method, f"{url[:-4]}none")
                assert unknown.status_code == (404 if status == 200 else 405)
            assert (await provider.head(origin + "/webhooks/mail")).status_code == 404


async def test_a_body_over_the_limit_is_refused_while_it_is_read() -> None:
    """A 413, before the rest is read."""
    async with post_office() as post:
        headers = standard_headers(post.mail.signing_secret, "x")
        for size, status in ((4096, 401), (4097, 413), (5_000_000, 413)):
            answer = await post.http.post(
                post.mail.url.reveal(), content=b"x" * size, headers=headers
            )
            assert answer.status_code == status


async def test_a_genuine_webhook_that_does_not_fit_its_type_is_kept() -> None:
    """2xx, and a dead letter with the path and never the value; an unknown type is dropped."""
    async with post_office() as post:
        bodies = ('{"type":"subscribed","email":7}', '{"type":"unknown"}', "not json", "")
        for number, body in enumerate(bodies):
            headers = standard_headers(post.mail.signing_secret, body, f"msg_{number}")
            answer = await post.http.post(post.mail.url.reveal(), content=body, headers=headers)
            assert (answer.status_code, answer.content) == (204, b"")
        await post.connectors.settled()
        assert post.received.mail == []


async def test_the_provider_does_not_see_that_a_handler_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It gets a 204, because the event is recorded. The exception of the handler is not shown."""
    async with post_office() as post:
        post.received.fails = True
        headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        answer = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert answer.status_code == 204
        body = '{"id":"in_1","amount":7}'
        answer = await post.http.post(
            post.shop.url.reveal(), content=body, headers=stripe_header("whsec_from_stripe", body)
        )
        assert answer.status_code == 204
        await post.connectors.settled()
    assert "RuntimeError: [secret]" in caplog.text
    assert CANARY not in caplog.text


async def test_a_disabled_connection_accepts_webhooks_and_runs_no_handler() -> None:
    """A 404 would make the provider delete the subscription. A forgery is still refused."""
    async with post_office() as post:
        found = value_or_raise(post.connectors.find("mail"))
        at = value_or_raise(post.connectors.tenant("organization", "acme")).at(found)
        value_or_raise(await at.disable())
        headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        answer = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert answer.status_code == 204
        forged = await post.http.post(post.mail.url.reveal(), content="{}", headers=headers)
        assert forged.status_code == 401
        await post.connectors.settled()
        assert post.received.mail == []
        value_or_raise(await at.disconnect())
        gone = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert gone.status_code == 404


async def test_a_connection_may_have_several_endpoints() -> None:
    """Each has its own address and secret. A secret from the provider can be set later."""
    async with post_office() as post:
        found = value_or_raise(post.connectors.find("mail"))
        at = value_or_raise(post.connectors.tenant("organization", "acme")).at(found)
        second = value_or_raise(await at.create_webhook())
        given = Secret("whsec_" + "QUJD" * 8)
        value_or_raise(await at.replace_webhook_secret(second.id, given))
        for url, secret, status in (
            (post.mail.url, post.mail.signing_secret, 204),
            (second.url, given, 204),
            (second.url, second.signing_secret, 401),
            (second.url, post.mail.signing_secret, 401),
        ):
            headers = standard_headers(secret, SUBSCRIBED)
            answer = await post.http.post(url.reveal(), content=SUBSCRIBED, headers=headers)
            assert answer.status_code == status
        short = await at.create_webhook(signing_secret=Secret("whsec_QUJD"))
        assert problem_of(short) == WebhookSecretInvalid("mail")
        assert problem_of(await at.replace_webhook_secret("no such", given)) is not None


async def test_a_secret_rotates_with_an_overlap() -> None:
    """Both secrets are accepted during the overlap, at the same address.

    Without one, the old is not.
    """
    async with post_office() as post:
        found = value_or_raise(post.connectors.find("mail"))
        at = value_or_raise(post.connectors.tenant("organization", "acme")).at(found)
        old, new = post.mail.signing_secret, Secret("whsec_" + "QUJD" * 8)
        newest = Secret("whsec_" + "REVG" * 8)

        async def status(secret: Secret) -> int:
            headers = standard_headers(secret, SUBSCRIBED)
            url = post.mail.url.reveal()
            answer = await post.http.post(url, content=SUBSCRIBED, headers=headers)
            return answer.status_code

        overlap = timedelta(hours=1)
        value_or_raise(await at.replace_webhook_secret(post.mail.id, new, overlap=overlap))
        assert [await status(one) for one in (old, new, newest)] == [204, 204, 401]
        (told,) = value_or_raise(await at.webhooks.endpoints())
        assert (told.id, told.valid_until) == (post.mail.id, None)
        assert told.previous_until is not None
        value_or_raise(await at.replace_webhook_secret(post.mail.id, newest))
        assert [await status(one) for one in (old, new, newest)] == [401, 401, 204]


async def test_an_address_rotates_with_an_overlap() -> None:
    """Both addresses accept deliveries, and a duplicate runs no handler.

    Then the old one is a 404.
    """
    async with post_office() as post:
        found = value_or_raise(post.connectors.find("mail"))
        at = value_or_raise(post.connectors.tenant("organization", "acme")).at(found)
        second = value_or_raise(
            await at.webhooks.rotate(post.mail.id, overlap=timedelta(milliseconds=400))
        )
        for endpoint in (post.mail, second):
            headers = standard_headers(endpoint.signing_secret, SUBSCRIBED)
            answer = await post.http.post(
                endpoint.url.reveal(), content=SUBSCRIBED, headers=headers
            )
            assert answer.status_code == 204
        await post.connectors.settled()
        assert len(post.received.mail) == 1
        await asyncio.sleep(0.5)
        for endpoint, status in ((post.mail, 404), (second, 204)):
            headers = standard_headers(endpoint.signing_secret, SUBSCRIBED)
            answer = await post.http.post(
                endpoint.url.reveal(), content=SUBSCRIBED, headers=headers
            )
            assert answer.status_code == status
        assert problem_of(await at.webhooks.rotate("none")) == WebhookNotFound()
        value_or_raise(await at.webhooks.retire(second.id))
        assert problem_of(await at.webhooks.retire("none")) == WebhookNotFound()
        headers = standard_headers(second.signing_secret, SUBSCRIBED)
        answer = await post.http.post(second.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert answer.status_code == 404


async def test_too_many_webhooks_at_once_get_a_503() -> None:
    """With Retry-After, before their bodies are read. The others are accepted."""
    store = MemoryStore()
    record, gate = store.inbox.record, asyncio.Event()

    async def slow(event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        await gate.wait()
        return await record(event, owner=owner, lease=lease)

    store.inbox.record = slow  # type: ignore[method-assign]  # a slow database
    async with post_office(store) as post:
        limit = DeliveryLimits().received_at_once

        async def deliver(number: int) -> httpx.Response:
            headers = standard_headers(post.mail.signing_secret, SUBSCRIBED, f"msg_{number}")
            return await post.http.post(
                post.mail.url.reveal(), content=SUBSCRIBED, headers=headers, timeout=30
            )

        post.http = httpx.AsyncClient(limits=httpx.Limits(max_connections=limit + 20))
        async with post.http:
            tasks = [asyncio.create_task(deliver(number)) for number in range(limit + 10)]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            gate.set()
            answers = await asyncio.gather(*tasks)
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == 10
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert all(task.result().status_code == 503 for task in done)
        assert sum(answer.status_code == 204 for answer in answers) == limit
        await post.connectors.settled()
        assert len(post.received.mail) == limit


async def test_the_manager_of_another_process_finds_the_endpoints(tmp_path: object) -> None:
    """They are in the database file, none only in memory."""
    async with post_office(SQLiteStore(f"{tmp_path}/c.db")) as post:
        headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        answer = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert answer.status_code == 204
        await post.connectors.settled()
        assert post.received.mail[0][2] == CANARY


async def test_a_connector_without_webhooks_has_no_endpoint() -> None:
    """The call returns a problem."""
    store = MemoryStore()
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(bot)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(bot)
        assert problem_of(await at.create_webhook()) == WebhookNotConfigured("bot")
    async with running_bot() as without_base:
        with pytest.raises(Exception, match="with_base_url"):
            await without_base.scope(ACME).at(bot).create_webhook()


async def test_handle_accepts_what_sign_webhook_signs() -> None:
    """So a connector can be tested without a server."""
    async with post_office() as post:
        for endpoint, scheme, body in (
            (post.mail, StandardWebhooks(), b'{"type":"subscribed","email":"x"}'),
            (post.shop, STRIPE, b'{"id":"1","amount":2}'),
        ):
            request = sign_webhook(scheme, endpoint, body, now=datetime.now(UTC))
            assert (await post.connectors.handle(request)).status == 204
            tampered = HttpRequest(request.method, request.url, request.headers, body + b" ")
            assert (await post.connectors.handle(tampered)).status == 401
        await post.connectors.settled()
        assert (len(post.received.mail), len(post.received.shop)) == (1, 1)


async def test_many_webhooks_at_once_each_run_once() -> None:
    """No event is lost, and none runs twice."""
    async with post_office() as post:

        async def deliver(number: int) -> int:
            body = json.dumps({"type": "subscribed", "email": str(number)})
            headers = standard_headers(post.mail.signing_secret, body, f"msg_{number}")
            answer = await post.http.post(post.mail.url.reveal(), content=body, headers=headers)
            return answer.status_code

        assert set(await asyncio.gather(*(deliver(number) for number in range(50)))) == {204}
        await post.connectors.settled()
        assert len({event_id for _, event_id, _ in post.received.mail}) == 50
