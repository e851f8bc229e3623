"""Webhooks signed on Node, by GitHub's own library and with Node's ed25519."""

from __future__ import annotations

import base64
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors import HttpRequest, Secret
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import (
    GITHUB,
    STANDARD_WEBHOOKS,
    Verified,
    WebhookEndpoint,
)
from tests.core.webhook.requests import SIGNED_AT, request

from .oidc_provider import NODE, install_node_modules

FOLDER: Final = Path(__file__).parent / "webhooks"
_WITHIN: Final = timedelta(seconds=30)
BODIES: Final = (
    "Hello, World!",
    '{"action":"opened","title":"\u00e9\U0001f600"}',
    '{ "a" : 1 ,\t"b":\n2 }\r\n',
    "\u2028",
    "x" * 100_000,
)


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: Literal["github-sign", "github-verify", "ed25519-sign", "ed25519-public"]
    secret: str
    body: str = ""
    signature: str = ""


def on_node(*commands: Command) -> list[str]:
    """Runs `webhooks/sign.mjs` and returns its results, in order."""
    install_node_modules(FOLDER)
    done = subprocess.run(
        [NODE, FOLDER / "sign.mjs"],
        input=msgspec.json.encode(commands),
        stdout=subprocess.PIPE,
        check=True,
        timeout=_WITHIN.total_seconds(),
    )
    return msgspec.json.decode(done.stdout, type=list[str])


def test_webhooks_signed_by_githubs_library_are_accepted() -> None:
    """With any text of any length, and only with the right secret."""
    secret, other = Secret("It's a Secret to Everybody"), Secret("another")
    signatures = on_node(*(Command("github-sign", secret.reveal(), body) for body in BODIES))
    for body, signature in zip(BODIES, signatures, strict=True):
        headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "72d3162e"}
        signed = request(headers, body)
        judged = verify(GITHUB, signed, [other, secret], now=SIGNED_AT)
        assert judged.unwrap() == Verified("72d3162e", False, None)
        assert not is_successful(verify(GITHUB, signed, [other], now=SIGNED_AT))
        changed = replace(signed, body=signed.body + b" ")
        assert not is_successful(verify(GITHUB, changed, [secret], now=SIGNED_AT))


def test_githubs_library_accepts_our_signed_webhooks() -> None:
    """So tests with `sign_webhook` show how real webhooks behave."""
    secret = Secret("It's a Secret to Everybody")
    at = WebhookEndpoint("row-1", Secret("https://own.example/webhooks/x/t"), secret)
    commands = []
    for body in BODIES:
        made = sign_webhook(GITHUB, at, body.encode(), now=SIGNED_AT)
        signature = made.header("x-hub-signature-256")
        assert signature is not None
        commands.append(Command("github-verify", secret.reveal(), body, signature))
        commands.append(Command("github-verify", "another", body, signature))
    assert on_node(*commands) == ["true", "false"] * len(BODIES)


@pytest.mark.parametrize("seed", [bytes(range(32)), b"\xff" * 32])
def test_webhooks_signed_with_ed25519_on_node_are_accepted(seed: bytes) -> None:
    """`v1a` of Standard Webhooks, with the public key that Node derives."""
    pem = (
        Ed25519PrivateKey.from_private_bytes(seed)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    timestamp = str(int(SIGNED_AT.timestamp()))
    public, *signatures = on_node(
        Command("ed25519-public", pem),
        *(Command("ed25519-sign", pem, f"msg_1.{timestamp}.{body}") for body in BODIES),
    )
    key = Secret(f"whpk_{public}")
    for body, signature in zip(BODIES, signatures, strict=True):
        signed = v1a(signature, body)
        judged = verify(STANDARD_WEBHOOKS, signed, [key], now=SIGNED_AT)
        assert judged.unwrap() == Verified("msg_1", True, SIGNED_AT)
        changed = replace(signed, body=signed.body + b" ")
        assert not is_successful(verify(STANDARD_WEBHOOKS, changed, [key], now=SIGNED_AT))
    other = Secret("whpk_" + base64.b64encode(bytes(range(32))).decode())
    signed = v1a(signatures[0], BODIES[0])
    assert not is_successful(verify(STANDARD_WEBHOOKS, signed, [other], now=SIGNED_AT))


def v1a(signature: str, body: str) -> HttpRequest:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(SIGNED_AT.timestamp())),
        "webhook-signature": f"v1a,{signature}",
    }
    return request(headers, body)
