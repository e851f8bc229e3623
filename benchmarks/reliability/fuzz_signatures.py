"""A hundred thousand forged deliveries over all schemes: none is accepted, none is decoded.

Each one starts as a genuine delivery and is then forged: signed with another secret, changed after
signing, signed too long ago, signed for another scheme, or not signed at all. In addition, headers
and bytes are broken at random, with a fixed seed. The payload type counts its instances, so a
decode before the verification is seen. At the end a genuine delivery must be accepted, so a
receiver that refuses everything fails too.
"""

import logging
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec
from msgspec.structs import replace
from returns.result import Result, Success

from benchmarks.reliability.figure import Figure
from igniter_connectors import (
    Connector,
    ConnectorManager,
    HttpRequest,
    Keyring,
    MemoryStore,
    Scope,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    value_or_raise,
)
from igniter_connectors.core.webhook.schemes import Verification, body_format
from igniter_connectors.core.webhook.signing_keys import new_signing_secret
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import (
    GITHUB,
    LINEAR,
    META,
    MICROSOFT_GRAPH,
    SHOPIFY,
    SLACK,
    SLACK_FORMS,
    STANDARD_WEBHOOKS,
    STRIPE,
    SVIX,
    TWILIO,
    TWILIO_JSON,
    ZOOM,
    WebhookEndpoint,
)

SCHEMES: dict[str, Verification] = {
    "standard": STANDARD_WEBHOOKS,
    "svix": SVIX,
    "stripe": STRIPE,
    "github": GITHUB,
    "slack": SLACK,
    "slack-forms": SLACK_FORMS,
    "shopify": SHOPIFY,
    "twilio": TWILIO,
    "twilio-json": TWILIO_JSON,
    "linear": LINEAR,
    "zoom": ZOOM,
    "meta": META,
    "graph": MICROSOFT_GRAPH,
}
TIMED = ("standard", "svix", "stripe", "slack", "slack-forms", "linear", "zoom")
PIECES = [
    "",
    ",",
    "=",
    "v1",
    "v1,",
    "v1a,",
    "v0=",
    "sha256=",
    "t=",
    "====",
    "\x00",
    "\u00e9",
    "\ud800",
]
ALPHABET = "0123456789abcdefABCDEF+/=,. vt\x00\n\u00ff\u0661\ud800"


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Config(msgspec.Struct, frozen=True):
    """Config of the connector."""

    key: Secret


class Payload(msgspec.Struct):
    """Any object. It counts its instances, which are made by decoding."""

    made: ClassVar[int] = 0

    def __post_init__(self) -> None:
        Payload.made += 1


class Forger:
    """Makes forged deliveries. It knows the endpoint's URL, but not its secret."""

    def __init__(self, name: str, endpoint: WebhookEndpoint, seed: int) -> None:
        self._name, self._scheme = name, SCHEMES[name]
        self._endpoint = endpoint
        self._random = random.Random(seed)
        self._now = datetime.now(UTC)

    def genuine(self) -> HttpRequest:
        """A delivery as the provider sends it."""
        return sign_webhook(self._scheme, self._endpoint, self._body(), now=self._now)

    def forged(self) -> HttpRequest:
        """A forged delivery."""
        ways = [self._by_another, self._by_another, self._of_another_scheme, self._unsigned]
        if self._name != "graph":  # signs nothing: only its shared value can be wrong
            ways.append(self._changed)
        if self._name in TIMED:
            ways.append(self._too_old)
        request = self._random.choice(ways)()
        for _ in range(self._random.choice((0, 0, 1, 3))):
            request = self._broken(request)
        return request

    def _body(self) -> bytes:
        dice = self._random
        if body_format(self._scheme) == "form":
            return b"&".join(b"f%d=%d" % (place, dice.random() * 99) for place in range(3))
        if self._name == "graph":
            return b'{"value":[{"id":"%d"}]}' % (dice.random() * 10**9)
        if self._name == "meta":
            return b'{"object":"page","entry":[{"id":"%d"}]}' % (dice.random() * 10**9)
        return b'{"n":%d}' % (dice.random() * 10**9)

    def _signed(self, secret: Secret, now: datetime) -> HttpRequest:
        at = replace(self._endpoint, signing_secret=secret)
        return sign_webhook(self._scheme, at, self._body(), now=now)

    def _by_another(self) -> HttpRequest:
        secret = new_signing_secret(self._scheme, self._random.randbytes(32))
        return self._signed(secret, self._now)

    def _changed(self) -> HttpRequest:
        request = self._signed(self._endpoint.signing_secret, self._now)
        more = b"&more=1" if body_format(self._scheme) == "form" else b" "
        return replace(request, body=request.body + more)

    def _too_old(self) -> HttpRequest:
        off = timedelta(seconds=self._random.randint(360, 10**6))
        late = self._now - off if self._random.random() < 0.5 else self._now + off
        return self._signed(self._endpoint.signing_secret, late)

    def _of_another_scheme(self) -> HttpRequest:
        other = SCHEMES[self._random.choice([name for name in SCHEMES if name != self._name])]
        secret = new_signing_secret(other, self._random.randbytes(32))
        body = b'{"value":[{}]}' if body_format(other) == "json" else b"a=1"
        at = replace(self._endpoint, signing_secret=secret)
        request = sign_webhook(other, at, body, now=self._now)
        return replace(request, url=self._endpoint.url.reveal(), body=self._body())

    def _unsigned(self) -> HttpRequest:
        dice = self._random
        names = [name for name, _ in self.genuine().headers]
        headers = tuple((dice.choice(names), self._text()) for _ in range(dice.randint(0, 8)))
        body = self._body() if dice.random() < 0.5 else dice.randbytes(dice.randint(0, 60))
        return HttpRequest("POST", self._endpoint.url.reveal(), headers, body)

    def _text(self) -> str:
        dice = self._random
        if dice.random() < 0.3:
            return dice.choice(PIECES) * dice.randint(1, 3)
        text = "".join(dice.choices(ALPHABET, k=dice.randint(0, 80)))
        return dice.choice(PIECES) + text

    def _broken(self, request: HttpRequest) -> HttpRequest:
        dice = self._random
        if not request.headers:
            return request
        place = dice.randrange(len(request.headers))
        headers = list(request.headers)
        name, value = headers[place]
        cut = dice.randint(0, len(value))
        match dice.randrange(5):
            case 0:
                headers.append((name.upper(), value))
            case 1:
                del headers[place]
            case 2:
                headers[place] = (name, value[:cut] + dice.choice(PIECES) + value[cut:])
            case 3:
                headers[place] = (name, value[:cut])
            case _:
                headers[place] = (name, self._text())
        return replace(request, headers=tuple(headers))


async def fuzz_signatures(tries: int = 100_000) -> Figure:
    """Counts forged deliveries that raised, were accepted, or were decoded."""
    counted: Counter[str] = Counter()
    for seed, name in enumerate(SCHEMES):
        counted += await _fuzz(name, tries // len(SCHEMES) + 1, seed)
    raised, accepted = counted["raised"], counted["accepted"]
    decoded, genuine = counted["decoded"], counted["genuine"]
    return Figure(
        "fuzz-signatures",
        f"of {counted['forged']} forged: {raised} raised, {accepted} accepted, {decoded} decoded;"
        f" of {len(SCHEMES)} genuine: {genuine} accepted",
        f"0, 0 and 0; {len(SCHEMES)}",
        (raised, accepted, decoded, genuine) == (0, 0, 0, len(SCHEMES)),
    )


async def _fuzz(name: str, tries: int, seed: int) -> Counter[str]:
    counted: Counter[str] = Counter(forged=tries)

    async def handle(_: WebhookCall[Config, object, Payload]) -> Result[None, WebhookFailed]:
        return Success(None)

    webhook = Webhook(payload=Payload, verification=SCHEMES[name], handler=handle)
    connector = Connector.create(name).with_config(Config).with_webhook(webhook).build()
    silent = logging.getLogger("benchmarks.fuzz_signatures")
    silent.setLevel(logging.CRITICAL)  # it would log each refusal
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .with_base_url("https://app.example.com")
        .with_logger(silent)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(Organization("acme")).at(connector)
        value_or_raise(await at.connect(Config(Secret("key"))))
        forger = Forger(name, value_or_raise(await at.create_webhook()), seed)
        before = Payload.made
        for _ in range(tries):
            try:
                answer = await connectors.handle(forger.forged())
            except Exception:
                counted["raised"] += 1
                continue
            counted["raised"] += answer.status >= 500
            # Only invalid signatures get a 401. A 422 would mean that the signature was valid.
            counted["accepted"] += answer.status not in (401, 500, 503)
        counted["decoded"] = Payload.made - before
        genuine = await connectors.handle(forger.genuine())
        counted["genuine"] = genuine.status < 300 and Payload.made > before
    return counted
