"""Twilio: the public URL and a form's fields, or the body's hash in the URL."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from multidict import MultiDict
from returns.pipeline import is_successful
from twilio.request_validator import (  # type: ignore[import-untyped]  # it has no py.typed
    RequestValidator,
)

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.deduplication import dedupe_keys
from igniter_connectors.core.webhook.presets import TWILIO, TWILIO_JSON
from igniter_connectors.core.webhook.schemes import TwilioScheme
from igniter_connectors.core.webhook.twilio import url_variants
from igniter_connectors.core.webhook.verification import verify
from tests.core.vector_files import vectors

from .requests import (
    SIGNED_AT,
    TEXT_SECRET,
    TWILIO_URL,
    request,
    twilio_json_request,
    twilio_request,
)


class Published(msgspec.Struct):
    url: str
    body: str
    signature: str


class AllPublished(msgspec.Struct):
    twilio: list[Published]
    twilio_json: list[Published]
    twilio_token: str


PUBLISHED: Final = vectors("webhook_signatures.json", AllPublished)


def passes(
    signed: HttpRequest, scheme: TwilioScheme = TWILIO, secret: Secret = TEXT_SECRET
) -> bool:
    return is_successful(verify(scheme, signed, [secret], now=SIGNED_AT))


def test_the_examples_of_twilio() -> None:
    """From Twilio's own tests: forms with and without a port, a repeated name, and JSON."""
    secret = Secret(PUBLISHED.twilio_token)
    for scheme, examples in ((TWILIO, PUBLISHED.twilio), (TWILIO_JSON, PUBLISHED.twilio_json)):
        assert examples
        for one in examples:
            signed = request({"X-Twilio-Signature": one.signature}, one.body, one.url)
            assert passes(signed, scheme, secret), one
            assert not passes(replace(signed, url=one.url + "x"), scheme, secret)
            assert not passes(replace(signed, body=signed.body + b"x"), scheme, secret)


NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=8))
def test_what_twilio_signs_of_any_form_is_genuine(fields: list[tuple[str, str]]) -> None:
    """Repeated and empty names, spaces, `+`, `&`, other scripts: sorted as Twilio does."""
    signature = RequestValidator(TEXT_SECRET.reveal()).compute_signature(
        TWILIO_URL, MultiDict(fields)
    )
    signed = request({"X-Twilio-Signature": signature}, urlencode(fields), TWILIO_URL)
    assert passes(signed)


def test_another_address_is_refused() -> None:
    """A signature for one host, path, query or scheme does not match another."""
    signed = twilio_request({"Body": "hello"})
    for changed in ("own.example", "webhooks/twilio", "tenant", "https"):
        url = TWILIO_URL.replace(changed, changed + "x")
        assert url != TWILIO_URL
        assert not passes(replace(signed, url=url))


def test_a_shared_key_signs_with_sha256_where_that_was_declared() -> None:
    """The scheme chooses the algorithm; a request cannot."""
    url = TWILIO_URL
    validator = RequestValidator(TEXT_SECRET.reveal())
    signature = validator.compute_signature(url, {"Body": "a"}, "HMAC_SHA256")
    settings = "X-Twilio-Webhooks-Signature-Settings"
    headers = {"X-Twilio-Signature": signature, settings: "key=k,algorithm=HMAC_SHA256"}
    signed = request(headers, "Body=a", url)
    assert passes(signed, TwilioScheme(algorithm="sha256"))
    assert not passes(signed)
    assert not passes(twilio_request({"Body": "a"}), TwilioScheme(algorithm="sha256"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?y", ("https://a.example/x?y", "https://a.example:443/x?y")),
        ("http://a.example/", ("http://a.example/", "http://a.example:80/")),
        ("https://a.example", ("https://a.example", "https://a.example:443")),
        ("https://a.example?q=:1", ("https://a.example?q=:1", "https://a.example:443?q=:1")),
        ("https://a.example:8443/x", ("https://a.example/x", "https://a.example:8443/x")),
        ("https://1234/x", ("https://1234/x", "https://1234:443/x")),
        ("http://[::1]/x", ("http://[::1]/x", "http://[::1]:80/x")),
        ("http://[::1]:8000/x", ("http://[::1]/x", "http://[::1]:8000/x")),
    ],
)
def test_a_url_is_tried_without_and_with_its_port(url: str, expected: tuple[str, str]) -> None:
    """Twilio signs either variant. An IPv6 address keeps its colons."""
    assert url_variants(url) == expected


@pytest.mark.parametrize("body", [b"a=%", b"a=%4", b"a=%zz", b"%ff=1", b"a=\xff", b"&" * 1000])
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    """Even if the fields that a lenient parser would read were signed."""
    for content in (
        b"",
        body,
        b"a",
        b"a%",
        b"a%4",
        b"a%zz",
        "a\ufffd".encode(),
        "\ufffd1".encode(),
    ):
        digest = hmac.digest(
            TEXT_SECRET.reveal().encode(), TWILIO_URL.encode() + content, hashlib.sha1
        )
        signature = base64.b64encode(digest).decode()
        assert not passes(request({"X-Twilio-Signature": signature}, body, TWILIO_URL))


def test_json_needs_its_hash_in_the_url() -> None:
    """Exactly one hash, of exactly these bytes, in upper-case or lower-case hex."""
    signed = twilio_json_request()
    assert passes(signed, TWILIO_JSON)
    assert not passes(replace(signed, body=signed.body + b" "), TWILIO_JSON)
    digest = hashlib.sha256(signed.body).hexdigest()
    validator = RequestValidator(TEXT_SECRET.reveal())
    for query, taken in (
        ("", False),
        ("?bodySHA256=", False),
        (f"?bodySHA256={digest}", True),
        (f"?bodySHA256={digest.upper()}", True),
        (f"?bodySHA256={digest}&bodySHA256={digest}", False),
        (f"?bodySHA256={digest[:-1]}", False),
        (f"?bodysha256={digest}", False),
        ("?bodySHA256=%zz", False),
        ("?bodySHA256=\u00e9", False),
    ):
        url = f"https://own.example/x{query}"
        headers = {"X-Twilio-Signature": validator.compute_signature(url, {})}
        assert passes(replace(request(headers, "", url), body=signed.body), TWILIO_JSON) is taken


def test_a_form_is_not_read_as_json_nor_json_as_a_form() -> None:
    """A body that is verified as one format is not decoded as the other."""
    assert not passes(twilio_request({"Body": "a"}), TWILIO_JSON)
    assert not passes(twilio_json_request(), TWILIO)


def test_the_same_fields_written_otherwise_are_the_same_event() -> None:
    """Order and escapes are not signed, so they do not change the fingerprint."""
    signed = twilio_request({"From": "+1", "Body": "a b"})
    verified = verify(TWILIO, signed, [TEXT_SECRET], now=SIGNED_AT).unwrap()
    first = dedupe_keys(verified, signed.body)
    for body in (b"Body=a+b&From=%2B1", b"From=%2b1&Body=%61%20b", b"&From=%2B1&&Body=a%20b&"):
        again = replace(signed, body=body)
        judged = verify(TWILIO, again, [TEXT_SECRET], now=SIGNED_AT).unwrap()
        assert dedupe_keys(judged, body).fingerprint == first.fingerprint
    other = twilio_request({"From": "+2", "Body": "a b"})
    judged = verify(TWILIO, other, [TEXT_SECRET], now=SIGNED_AT).unwrap()
    assert dedupe_keys(judged, other.body).fingerprint != first.fingerprint
