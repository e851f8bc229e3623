"""Webhooks signed on Node: by GitHub's own library, and with Node's ed25519."""

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


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: Literal["github-sign", "github-verify", "ed25519-sign", "ed25519-public"]
    secret: str
    body: str = ""
    signature: str = ""


def on_node(*asked: Asked) -> list[str]:
    """The answers of `webhooks/sign.mjs`, in order."""
    install_node_modules(FOLDER)
    done = subprocess.run(
        [NODE, FOLDER / "sign.mjs"],
        input=msgspec.json.encode(asked),
        stdout=subprocess.PIPE,
        check=True,
        timeout=_WITHIN.total_seconds(),
    )
    return msgspec.json.decode(done.stdout, type=list[str])


def test_what_githubs_own_library_signs_is_genuine() -> None:
    """Any text, any length, under the secret and under no other."""
    secret, other = Secret("It's a Secret to Everybody"), Secret("another")
    signatures = on_node(*(Asked("github-sign", secret.reveal(), body) for body in BODIES))
    for body, signature in zip(BODIES, signatures, strict=True):
        headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "72d3162e"}
        signed = request(headers, body)
        judged = verify(GITHUB, signed, [other, secret], now=SIGNED_AT)
        assert judged.unwrap() == Verified("72d3162e", False, None)
        assert not is_successful(verify(GITHUB, signed, [other], now=SIGNED_AT))
        changed = replace(signed, body=signed.body + b" ")
        assert not is_successful(verify(GITHUB, changed, [secret], now=SIGNED_AT))


def test_what_our_builder_signs_is_genuine_to_githubs_own_library() -> None:
    """A test that passes with it tells the truth of the real thing."""
    secret = Secret("It's a Secret to Everybody")
    at = WebhookEndpoint("row-1", Secret("https://own.example/webhooks/x/t"), secret)
    asked = []
    for body in BODIES:
        made = sign_webhook(GITHUB, at, body.encode(), now=SIGNED_AT)
        signature = made.header("x-hub-signature-256")
        assert signature is not None
        asked.append(Asked("github-verify", secret.reveal(), body, signature))
        asked.append(Asked("github-verify", "another", body, signature))
    assert on_node(*asked) == ["true", "false"] * len(BODIES)


@pytest.mark.parametrize("seed", [bytes(range(32)), b"\xff" * 32])
def test_what_node_signs_with_ed25519_is_genuine(seed: bytes) -> None:
    """`v1a` of Standard Webhooks under the public key that Node makes of the private one."""
    pem = (
        Ed25519PrivateKey.from_private_bytes(seed)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    timestamp = str(int(SIGNED_AT.timestamp()))
    public, *signatures = on_node(
        Asked("ed25519-public", pem),
        *(Asked("ed25519-sign", pem, f"msg_1.{timestamp}.{body}") for body in BODIES),
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
