"""Known secrets go through every feature. None may appear outside.

One tenant uses every feature on a SQLite file over real HTTP, with the root logger at DEBUG: a
bot whose token is part of a URL's path, as Telegram's is; an OAuth flow and refreshes; a provider
that quotes secrets in its errors; genuine and forged webhooks; handlers that raise with secrets.
Another tenant uses every OAuth extension (`oauth_lifecycle`). Then the database's bytes, the log,
the events, every value's `repr`, the problems and the tracebacks are searched for each secret:
plain, in hex, in base64, quoted and escaped.
"""

import asyncio
import base64
import io
import json
import logging
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from returns.result import Result, Success

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_lifecycle import run_oauth_lifecycle
from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Event,
    HttpRequest,
    Keyring,
    OAuthProvider,
    Principal,
    Scope,
    Secret,
    SQLiteStore,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.testing import ManualClock, running_provider, sign_webhook
from igniter_connectors.webhooks import StandardWebhooks


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Bot(msgspec.Struct, frozen=True):
    """Config with a token that goes into the URL's path."""

    token: Secret
    base: str


class Drive(msgspec.Struct, frozen=True):
    """Config of the OAuth connector: a secret in addition to the tokens."""

    extra: Secret


class Say(msgspec.Struct, frozen=True):
    """Input of the actions."""

    text: str


class Note(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    text: str


@action("say", input=Say, output=int)
async def say(call: ActionCall[Bot, object, Say]) -> Result[int, ActionFailed]:
    """Sends the token in the path, and returns the response's status."""
    url = f"{call.config.base}/bot{call.config.token.reveal()}/say"
    answer = await call.http.send_anywhere_without_token(HttpRequest("POST", url))
    return Success(answer.unwrap().status)


@action("raise", input=Say, output=int)
async def raising(call: ActionCall[Bot, object, Say]) -> Result[int, ActionFailed]:
    """Raises with the secret in the exception's text and in a local variable."""
    token = call.config.token.reveal()
    raise ValueError(f"GET /bot{token}/say failed; repr {token!r}; {quote(token)}")


@action("token", input=Say, output=int)
async def use_token(call: ActionCall[Drive, object, Say]) -> Result[int, ActionFailed]:
    """Raises with the access token in the exception's text."""
    assert call.access_token is not None
    raise ValueError(call.access_token.value.reveal())


async def on_note(call: WebhookCall[Bot, object, Note]) -> Result[None, WebhookFailed]:
    """Raises on the second kind of note."""
    if call.payload.text == "raise":
        raise RuntimeError(call.config.token.reveal())
    return Success(None)


async def canaries() -> Figure:
    """Counts the places where a secret appears."""
    with tempfile.TemporaryDirectory() as folder, captured_log() as log:
        secrets, seen = await use_every_feature(Path(folder) / "connectors.db")
        oauth = await run_oauth_lifecycle(Path(folder) / "vault.db")
        secrets, seen = secrets + oauth.secrets, seen + oauth.shown
        dump = bytes_in(Path(folder))
    secrets = sorted({secret for secret in secrets if secret})
    texts = [log.getvalue(), "\n".join(seen)]
    hits = sorted(
        {
            where
            for secret in secrets
            for form in forms(secret)
            for where, found in (
                ("dump", form.encode() in dump),
                ("log", form in texts[0]),
                ("events, reprs, problems or tracebacks", form in texts[1]),
            )
            if found
        }
    )
    searched = f"{len(dump)} bytes of database, {len(texts[0])} of log, {len(seen)} texts"
    found = f"found in {', '.join(hits)}" if hits else "0 hits"
    missed = f"; never requested: {sorted(oauth.missed)}" if oauth.missed else ""
    return Figure(
        "canaries",
        f"{len(secrets)} secrets, {searched}: {found}{missed}",
        "0 hits",
        not hits and not oauth.missed,
    )


def bytes_in(folder: Path) -> bytes:
    """The bytes of the database file and its journals."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def use_every_feature(file: Path) -> tuple[list[str], list[str]]:
    """Returns the secrets that were used, and every text that was shown."""
    secrets = [f"canary-{name}-%s-1'\"\\ü" for name in ("bot", "extra")]
    secrets.append(Keyring.generate().reveal())
    seen: list[str] = []

    async def on_event(event: Event) -> None:
        seen.extend([repr(event), msgspec.json.encode(event).decode()])

    clock = ManualClock()
    async with running_provider() as provider:
        bot_token, extra, sealing = secrets
        secrets.append(provider.client_secret.reveal())
        webhook = Webhook(payload=Note, verification=StandardWebhooks(), handler=on_note)
        bot = (
            Connector.create("bot")
            .with_config(Bot)
            .add_action(say)
            .add_action(raising)
            .with_webhook(webhook)
            .build()
        )
        drive = (
            Connector.create("drive")
            .with_config(Drive)
            .add_action(use_token)
            .with_oauth(
                OAuthProvider(
                    authorization_url=provider.authorization_url,
                    token_url=provider.token_url,
                    userinfo_url=provider.userinfo_url,
                    client_id=provider.client_id,
                    client_secret=provider.client_secret,
                )
            )
            .build()
        )
        keyring = Keyring.from_secret(sealing)
        connectors = (
            ConnectorManager.create()
            .with_database(SQLiteStore(file, clock=clock))
            .with_encryption(keyring)
            .with_base_url("http://127.0.0.1:1")
            .with_clock(clock)
            .add_scope(Organization)
            .add_connector(bot)
            .add_connector(drive)
            .on(Event, on_event)
            .build()
        )
        seen.extend(map(repr, (keyring, bot, drive, connectors)))
        async with connectors:
            tenant = connectors.scope(Organization("acme"))
            at_bot, at_drive = tenant.at(bot), tenant.at(drive)
            seen.append(repr(await at_bot.connect(Bot(Secret(bot_token), provider.url))))
            seen.append(repr(await at_bot.connect(Bot(Secret(bot_token), 7))))  # type: ignore[arg-type]
            seen.append(repr(await at_bot.action(say).call(Say("x"))))
            seen.append(repr(await at_bot.action(raising).call(Say("x"))))
            endpoint = value_or_raise(await at_bot.create_webhook())
            token = urlsplit(endpoint.url.reveal()).path.rpartition("/")[2]
            secrets += [endpoint.signing_secret.reveal(), token]
            seen.append(repr(endpoint))
            for text in ("fine", "raise", "forged"):
                body = msgspec.json.encode(Note(text))
                request = sign_webhook(StandardWebhooks(), endpoint, body, now=clock.now())
                if text == "forged":
                    request = msgspec.structs.replace(request, body=body + b" ")
                seen.extend([repr(request), repr(await connectors.handle(request))])
            principal = Principal(Organization("acme"), "ada")
            for error in ("", "invalid_grant"):
                begun = value_or_raise(
                    await at_drive.authorize_replacing_account(
                        Drive(Secret(extra)), subject="ada", return_to="/done"
                    )
                )
                secrets.append(begun.url.rpartition("=")[2])
                seen.append(repr(begun))
                started = await connectors.handle(
                    HttpRequest("GET", begun.url), principal=principal
                )
                cookie = (started.header("set-cookie") or "").partition(";")[0]
                secrets.append(cookie.partition("=")[2])
                # The library's own client is the browser, so that its log sees the code and the
                # state, in a URL and in a response header.
                browser = HttpxClient(logger=logging.getLogger("igniter_connectors"))
                consented = await browser.send(HttpRequest("GET", started.header("location") or ""))
                await browser.close()
                callback = consented.unwrap().header("location") or ""
                provider.script.token_status = 400 if error else 200
                provider.script.error_description = " ".join(secrets + provider.issued)
                request = HttpRequest("GET", callback, (("Cookie", cookie),))
                finished = await connectors.handle(request, principal=principal)
                seen.extend([repr(started), repr(request), repr(finished)])
                seen.append(finished.header("location") or "")
            provider.script.token_status = 200
            seen.append(repr(await at_drive.action(use_token).call(Say("x"))))
            clock.advance(timedelta(hours=2))
            seen.append(repr(await at_drive.action(use_token).call(Say("x"))))
            provider.script.token_status = 400
            clock.advance(timedelta(hours=2))
            seen.append(repr(await at_drive.action(use_token).call(Say("x"))))
            seen.append(repr(await at_drive.get()))
            seen.append(repr(await tenant.list()))
            seen.append(traceback_of_a_problem(await at_drive.action(use_token).call(Say("x"))))
            await asyncio.sleep(0.05)
        secrets += provider.issued
    return secrets, seen


def traceback_of_a_problem(answer: Result[int, object]) -> str:
    """The traceback of a problem that is raised as an exception."""
    try:
        value_or_raise(answer)  # type: ignore[arg-type]  # any problem will do
    except Exception:
        return traceback.format_exc()
    return ""


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Captures the output of every logger at DEBUG."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def forms(secret: str) -> set[str]:
    """The encodings of a secret that are searched for."""
    octets = secret.encode()
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        octets.hex(),
        base64.b64encode(octets).decode().rstrip("="),
        base64.urlsafe_b64encode(octets).decode().rstrip("="),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
