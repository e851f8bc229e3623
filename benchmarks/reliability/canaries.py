"""Secrets go through everything the library does; none may be found anywhere outside.

One tenant's whole life on a SQLite file over real HTTP, with the root logger at DEBUG: a bot
whose token stands in a URL's path, as Telegram has it; an OAuth flow, refreshes, a provider that
quotes secrets in its errors; webhooks, genuine and forged; handlers that raise with secrets in
their text. And another's at a provider with everything that OAuth has, and that quotes all of it
(`vault_life`). Then the database's bytes, the log, the events, every value's `repr`, the problems
and the tracebacks are searched for each secret: as it is, in hex, in base64, quoted, escaped.
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
from benchmarks.reliability.vault_life import vault_life
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
    """The tenant."""


class Bot(msgspec.Struct, frozen=True):
    """A token that the service wants in the URL's path."""

    token: Secret
    base: str


class Drive(msgspec.Struct, frozen=True):
    """An OAuth connector with a secret of its own beside the tokens."""

    extra: Secret


class Say(msgspec.Struct, frozen=True):
    """The input."""

    text: str


class Note(msgspec.Struct, frozen=True):
    """The webhook's payload."""

    text: str


@action("say", input=Say, output=int)
async def say(call: ActionCall[Bot, object, Say]) -> Result[int, ActionFailed]:
    """The token goes into the path, and the answer's status comes back."""
    url = f"{call.config.base}/bot{call.config.token.reveal()}/say"
    answer = await call.http.send_anywhere_without_token(HttpRequest("POST", url))
    return Success(answer.unwrap().status)


@action("raise", input=Say, output=int)
async def raising(call: ActionCall[Bot, object, Say]) -> Result[int, ActionFailed]:
    """Careless code: the secret is in the exception's text and in a local variable."""
    token = call.config.token.reveal()
    raise ValueError(f"GET /bot{token}/say failed; repr {token!r}; {quote(token)}")


@action("token", input=Say, output=int)
async def use_token(call: ActionCall[Drive, object, Say]) -> Result[int, ActionFailed]:
    """Careless too, with the access token."""
    assert call.access_token is not None
    raise ValueError(call.access_token.value.reveal())


async def on_note(call: WebhookCall[Bot, object, Note]) -> Result[None, WebhookFailed]:
    """Raises on the second kind of note."""
    if call.payload.text == "raise":
        raise RuntimeError(call.config.token.reveal())
    return Success(None)


async def canaries() -> Figure:
    """Counts the places where a secret was found."""
    with tempfile.TemporaryDirectory() as folder, captured_log() as log:
        secrets, seen = await live(Path(folder) / "connectors.db")
        vault = await vault_life(Path(folder) / "vault.db")
        secrets, seen = secrets + vault.secrets, seen + vault.shown
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
    missed = f"; never asked: {sorted(vault.missed)}" if vault.missed else ""
    return Figure(
        "canaries",
        f"{len(secrets)} secrets, {searched}: {found}{missed}",
        "0 hits",
        not hits and not vault.missed,
    )


def bytes_in(folder: Path) -> bytes:
    """The database's file with its journals."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def live(file: Path) -> tuple[list[str], list[str]]:
    """One tenant's whole life; the secrets that it used, and every text that it showed."""
    secrets = [f"canary-{name}-%s-1'\"\\ü" for name in ("bot", "extra")]
    secrets.append(Keyring.generate().reveal())
    seen: list[str] = []

    async def hear(event: Event) -> None:
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
            .on(Event, hear)
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
                # The library's own client plays the browser, so that the code and the state
                # pass through its log too, in an address and in an answer's header.
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
    """What a crash report would show of a problem that was raised."""
    try:
        value_or_raise(answer)  # type: ignore[arg-type]  # any problem will do
    except Exception:
        return traceback.format_exc()
    return ""


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Everything that any logger says, at DEBUG."""
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
    """The ways in which a secret could be written."""
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
