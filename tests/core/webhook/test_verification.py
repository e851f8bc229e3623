"""Signature verification accepts genuine webhooks, refuses all others, and never raises."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result
from stripe import SignatureVerificationError, WebhookSignature

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB, SHOPIFY, SLACK, STRIPE, ZOOM
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    BareSignature,
    HmacScheme,
    KeyedSignature,
    StandardWebhooks,
    Verification,
    scheme_fault,
)
from igniter_connectors.core.webhook.signing_keys import new_signing_secret
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified
from tests.core.vector_files import vectors

from .requests import (
    BODY,
    OTHER_STANDARD_SECRET,
    OTHER_TEXT_SECRET,
    SECOND,
    SIGNED_AT,
    STANDARD_SECRET,
    TEXT_SECRET,
    request,
    standard_request,
    standard_signature,
    stripe_header,
    stripe_request,
    with_header,
)

STANDARD: Final = StandardWebhooks()
SVIX: Final = StandardWebhooks("svix")
WITH_ID: Final = HmacScheme(
    header="X-Signature", signed="{id}.{body}", algorithm="sha512", id_header="X-Id"
)
KEYED_BASE64: Final = HmacScheme(
    header="X-Signature",
    layout=KeyedSignature(signature="sig", timestamp="at"),
    signed="{timestamp}{body}",
    algorithm="sha1",
    encoding="base64",
)
SIGNING_SCHEMES: Final[dict[str, StandardWebhooks | HmacScheme]] = {
    "standard": STANDARD,
    "svix": SVIX,
    "stripe": STRIPE,
    "github": GITHUB,
    "slack": SLACK,
    "shopify": SHOPIFY,
    "zoom": ZOOM,
    "with an id": WITH_ID,
    "keyed, base64": KEYED_BASE64,
}


def judge(
    scheme: Verification,
    signed: HttpRequest,
    secrets: Sequence[Secret],
    now: datetime = SIGNED_AT,
) -> Result[Verified, VerificationFailure]:
    return verify(scheme, signed, secrets, now=now)


def passes(
    scheme: Verification,
    signed: HttpRequest,
    *secrets: Secret,
    now: datetime = SIGNED_AT,
) -> bool:
    return is_successful(judge(scheme, signed, secrets, now))


# --- vectors that others published ------------------------------------------------------------


class Published(msgspec.Struct):
    secret: str
    body: str
    signature: str
    timestamp: int = 0
    id: str = ""


class AllPublished(msgspec.Struct):
    standard_webhooks: Published
    github: Published
    slack: Published


PUBLISHED = vectors("webhook_signatures.json", AllPublished)


def test_the_example_of_standard_webhooks() -> None:
    """Vectors from the reference library's tests."""
    example = PUBLISHED.standard_webhooks
    at = datetime.fromtimestamp(example.timestamp, SIGNED_AT.tzinfo)
    headers = {
        "webhook-id": example.id,
        "webhook-timestamp": str(example.timestamp),
        "webhook-signature": example.signature,
    }
    judged = judge(STANDARD, request(headers, example.body), [Secret(example.secret)], at)
    assert judged.unwrap() == Verified(example.id, True, at)


def test_the_example_of_github() -> None:
    """The example from GitHub's manual."""
    example = PUBLISHED.github
    headers = {"X-Hub-Signature-256": example.signature, "X-GitHub-Delivery": "72d3162e"}
    judged = judge(GITHUB, request(headers, example.body), [Secret(example.secret)])
    assert judged.unwrap() == Verified("72d3162e", False, None)


def test_the_example_of_slack() -> None:
    """The example from Slack's manual: a slash command, a form without an event id."""
    example = PUBLISHED.slack
    at = datetime.fromtimestamp(example.timestamp, SIGNED_AT.tzinfo)
    headers = {
        "X-Slack-Signature": example.signature,
        "X-Slack-Request-Timestamp": str(example.timestamp),
    }
    judged = judge(SLACK, request(headers, example.body), [Secret(example.secret)], at)
    assert judged.unwrap() == Verified(None, False, at)


# --- signed by the providers' own libraries -----------------------------------------------------

BODIES = st.text(st.characters(codec="utf-8"))
IDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255)
KEYS = st.binary(min_size=24, max_size=64)


@given(BODIES, IDS, KEYS, st.sampled_from([STANDARD, SVIX]))
def test_what_standardwebhooks_signs_is_genuine(
    body: str, event_id: str, key: bytes, scheme: StandardWebhooks
) -> None:
    """With any body, spacing and keys: the raw bytes are verified."""
    secret = Secret("whsec_" + base64.b64encode(key).decode())
    signed = standard_request(body, secret, event_id, prefix=scheme.header_prefix)
    assert judge(scheme, signed, [secret]).unwrap() == Verified(event_id, True, SIGNED_AT)


@given(BODIES, st.text(st.characters(codec="utf-8"), min_size=1))
def test_what_stripe_signs_is_genuine(body: str, secret: str) -> None:
    """With any body and secret."""
    signed = stripe_request(body, Secret(secret))
    assert judge(STRIPE, signed, [Secret(secret)]).unwrap() == Verified(None, False, SIGNED_AT)


def test_stripes_own_library_agrees() -> None:
    """This library and `stripe` accept the same headers and bodies, and refuse the same ones."""
    header = stripe_header()
    assert WebhookSignature.verify_header(BODY, header, TEXT_SECRET.reveal()) is True
    with pytest.raises(SignatureVerificationError):
        WebhookSignature.verify_header(BODY + " ", header, TEXT_SECRET.reveal())
    assert not passes(STRIPE, request({"Stripe-Signature": header}, BODY + " "), TEXT_SECRET)


def test_a_prefix_belongs_to_its_scheme() -> None:
    """Svix's older header names are accepted only if they are declared."""
    assert not passes(STANDARD, standard_request(prefix="svix"), STANDARD_SECRET)
    assert not passes(SVIX, standard_request(prefix="webhook"), STANDARD_SECRET)


# --- rotation ---------------------------------------------------------------------------------


def test_any_live_secret_may_match() -> None:
    """During a rotation both secrets are valid, in either order. A third is not."""
    both = [STANDARD_SECRET, OTHER_STANDARD_SECRET]
    third = Secret("whsec_" + base64.b64encode(b"x" * 32).decode())
    for secret in both:
        assert passes(STANDARD, standard_request(secret=secret), *both)
        assert passes(STANDARD, standard_request(secret=secret), *reversed(both))
    assert not passes(STANDARD, standard_request(secret=third), *both)
    texts = [TEXT_SECRET, OTHER_TEXT_SECRET]
    for secret in texts:
        assert passes(STRIPE, stripe_request(secret=secret), *texts)
        assert passes(STRIPE, stripe_request(secret=secret), *reversed(texts))
    assert not passes(STRIPE, stripe_request(secret=Secret("third")), *texts)


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
def test_without_a_secret_nothing_is_genuine(name: str) -> None:
    """No secret, an empty one, or one without the scheme's format matches nothing."""
    scheme = SIGNING_SCHEMES[name]
    signed = sign(scheme, b"")
    for secrets in ([], [Secret("")], [Secret("whsec_")], [Secret("\ud800")]):
        assert judge(scheme, signed, secrets) == Failure(
            VerificationFailure("no signature matches")
        )


# --- tampering --------------------------------------------------------------------------------

ENTROPY: Final = bytes(range(32))


def sign(
    scheme: StandardWebhooks | HmacScheme,
    key: bytes,
    body: bytes = BODY.encode(),
    event_id: str = "evt_1",
    at: datetime = SIGNED_AT,
) -> HttpRequest:
    """A request signed by hand with a raw key, for schemes without a library here."""
    timestamp = str(int(at.timestamp()))
    if isinstance(scheme, StandardWebhooks):
        mac = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
        names = [f"{scheme.header_prefix}-{item}" for item in ("id", "timestamp", "signature")]
        values = [event_id, timestamp, "v1," + base64.b64encode(mac).decode()]
        return request(dict(zip(names, values, strict=True)), body)
    template = scheme.signed.replace("{timestamp}", timestamp).replace("{id}", event_id)
    before, after = template.split("{body}")
    mac = hmac.digest(key, before.encode() + body + after.encode(), scheme.algorithm)
    text = mac.hex() if scheme.encoding == "hex" else base64.b64encode(mac).decode()
    headers = {}
    match scheme.layout:
        case BareSignature(prefix=prefix):
            headers[scheme.header] = prefix + text
        case KeyedSignature(signature=name, timestamp=time_name):
            headers[scheme.header] = f"{time_name}={timestamp},{name}={text}"
    if scheme.timestamp_header:
        headers[scheme.timestamp_header] = timestamp
    if scheme.id_header:
        headers[scheme.id_header] = event_id
    return request(headers, body)


def secret_of(scheme: StandardWebhooks | HmacScheme) -> tuple[Secret, bytes]:
    """A secret in the scheme's format, and its key."""
    secret = new_signing_secret(scheme, ENTROPY)
    is_standard = isinstance(scheme, StandardWebhooks)
    return secret, ENTROPY if is_standard else secret.reveal().encode()


def has_time(scheme: StandardWebhooks | HmacScheme) -> bool:
    return isinstance(scheme, StandardWebhooks) or "{timestamp}" in scheme.signed


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
def test_the_schemes_here_are_sound_and_verify(name: str) -> None:
    """Each scheme builds and accepts its own signature, so that later refusals mean something."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    assert scheme_fault(scheme) is None
    verified = judge(scheme, sign(scheme, key), [secret]).unwrap()
    declares_id = isinstance(scheme, StandardWebhooks) or bool(scheme.id_header)
    signs_id = isinstance(scheme, StandardWebhooks) or "{id}" in scheme.signed
    assert verified.event_id == ("evt_1" if declares_id else None)
    assert verified.event_id_is_signed is signs_id
    assert verified.signed_at == (SIGNED_AT if has_time(scheme) else None)


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
@given(st.data())
def test_a_changed_body_is_refused(name: str, data: st.DataObject) -> None:
    """One flipped bit, one byte more or one byte less is enough."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    body = data.draw(st.binary(min_size=1, max_size=50))
    signed = sign(scheme, key, body)
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(body) - 1))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    for changed in (bytes(flipped), body[:-1], body + b"\n", b""):
        assert not passes(scheme, replace(signed, body=changed), secret)


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
@given(st.integers(min_value=0, max_value=10**6), st.data())
def test_a_changed_header_is_refused(name: str, where: int, data: st.DataObject) -> None:
    """One character of a signed id, signed time or signature is enough. Unsigned ids may change."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    signed = sign(scheme, key)
    header = data.draw(st.sampled_from(range(len(signed.headers))))
    title, value = signed.headers[header]
    place = where % len(value)
    character = data.draw(st.sampled_from("0123456789abcdefXYZ=,. \u00e9\ud800"))
    if character == value[place] or character.lower() == value[place].lower():
        return
    changed = list(signed.headers)
    changed[header] = (title, value[:place] + character + value[place + 1 :])
    judged = judge(scheme, replace(signed, headers=tuple(changed)), [secret])
    if is_successful(judged):
        assert isinstance(scheme, HmacScheme)
        assert title == scheme.id_header
        assert not judged.unwrap().event_id_is_signed


@pytest.mark.parametrize(
    "name", [name for name in SIGNING_SCHEMES if has_time(SIGNING_SCHEMES[name])]
)
def test_another_time_than_the_signed_one_is_refused(name: str) -> None:
    """One second more, inside the tolerance, with the signature of the first time."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    then, later = str(int(SIGNED_AT.timestamp())), str(int(SIGNED_AT.timestamp()) + 1)
    signed = sign(scheme, key)
    headers = tuple((title, value.replace(then, later)) for title, value in signed.headers)
    assert headers != signed.headers
    assert passes(scheme, signed, secret)
    assert not passes(scheme, replace(signed, headers=headers), secret)


def test_a_time_written_otherwise_is_another_time() -> None:
    """The text is signed, so a leading zero is refused, although the instant is the same."""
    then = str(int(SIGNED_AT.timestamp()))
    header = stripe_header().replace(f"t={then}", f"t=0{then}")
    assert not passes(STRIPE, request({"Stripe-Signature": header}), TEXT_SECRET)


# --- tolerance --------------------------------------------------------------------------------

FIVE_MINUTES: Final = timedelta(minutes=5)
MICRO: Final = timedelta(microseconds=1)
TIMED = [name for name in SIGNING_SCHEMES if has_time(SIGNING_SCHEMES[name])]


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(
    ("off", "taken"),
    [
        (timedelta(), True),
        (FIVE_MINUTES - SECOND, True),
        (FIVE_MINUTES, True),
        (FIVE_MINUTES + MICRO, False),
        (FIVE_MINUTES + SECOND, False),
        (timedelta(days=365), False),
    ],
)
def test_a_time_holds_for_five_minutes_either_way(name: str, off: timedelta, taken: bool) -> None:
    """At the limit it is accepted, past it it is refused, early or late."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    signed = sign(scheme, key)
    assert passes(scheme, signed, secret, now=SIGNED_AT + off) is taken
    assert passes(scheme, signed, secret, now=SIGNED_AT - off) is taken


@pytest.mark.parametrize("seconds", [0, 1, 60])
def test_a_custom_tolerance_is_applied(seconds: int) -> None:
    """The tolerance is exact, and zero means zero."""
    tolerance = timedelta(seconds=seconds)
    for scheme, signed, secret in (
        (StandardWebhooks(tolerance=tolerance), standard_request(), STANDARD_SECRET),
        (replace(STRIPE, tolerance=tolerance), stripe_request(), TEXT_SECRET),
    ):
        assert passes(scheme, signed, secret, now=SIGNED_AT + tolerance)
        assert not passes(scheme, signed, secret, now=SIGNED_AT + tolerance + SECOND)


@pytest.mark.parametrize("name", ["github", "shopify", "with an id"])
def test_without_a_signed_time_any_time_is_accepted(name: str) -> None:
    """`signed_at` is then None."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    judged = judge(scheme, sign(scheme, key), [secret], SIGNED_AT + timedelta(days=9999))
    assert judged.unwrap().signed_at is None


# --- malformed headers --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
def test_a_header_that_is_missing_is_refused(name: str) -> None:
    """Every header that the signature needs. Only an unsigned id may be absent."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    signed = sign(scheme, key)
    unsigned = {"X-GitHub-Delivery", "X-Shopify-Webhook-Id"}
    for title, _ in signed.headers:
        rest = tuple(header for header in signed.headers if header[0] != title)
        assert passes(scheme, replace(signed, headers=rest), secret) is (title in unsigned)


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
def test_a_header_given_twice_is_refused(name: str) -> None:
    """Also the id, signed or not: neither of two values is trusted."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    signed = sign(scheme, key)
    for title, value in signed.headers:
        for again in (value, "other"):
            doubled = with_header(signed, title.upper(), again)
            assert not passes(scheme, doubled, secret), title


def test_header_names_match_in_any_case() -> None:
    """HTTP/2 sends them in lower case."""
    signed = stripe_request()
    small = tuple((title.lower(), value) for title, value in signed.headers)
    assert passes(STRIPE, replace(signed, headers=small), TEXT_SECRET)


@pytest.mark.parametrize(
    "time",
    [
        "",
        "abc",
        "-1",
        "+1",
        " 1793534400",
        "1793534400 ",
        "\n1793534400",
        "1793534400.0",
        "1_793_534_400",
        "1e9",
        "0x6AE5",
        "\u0661\u0662\u0663",
        "1" * 12,
        "1" * 5000,
        "\ud800",
    ],
)
def test_a_time_that_is_no_number_of_seconds_is_refused(time: str) -> None:
    """Even if the signature over the text is right."""
    mac = hmac.digest(ENTROPY, b"msg_1." + time.encode("utf-8", "replace") + b".x", "sha256")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": time,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
    secret, _ = secret_of(STANDARD)
    assert not passes(STANDARD, request(headers, "x"), secret)
    keyed = {"Stripe-Signature": f"t={time},v1={'0' * 64}"}
    assert not passes(STRIPE, request(keyed, "x"), TEXT_SECRET)


@pytest.mark.parametrize("digits", ["0", "9" * 11])
def test_the_least_and_greatest_times_are_read(digits: str) -> None:
    """From 1970 to 5138 nothing raises; the time is only out of tolerance."""
    secret, key = secret_of(STANDARD)
    at = datetime.fromtimestamp(int(digits), SIGNED_AT.tzinfo)
    signed = sign(STANDARD, key, at=at)
    assert not passes(STANDARD, signed, secret)
    assert passes(STANDARD, signed, secret, now=at)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        "v1",
        "v1,",
        ",",
        "v1=abc",
        "v1,not base64",
        "v1,\u00e9\u00e9\u00e9\u00e9",
        "v1,\ud800",
        "v1,====",
        "V1,{right}",
        "v1,,{right}",
        "v1a,{right}",
        "v2,{right}",
        "{right}",
        "v1,{right}AAAA",
        "v1,{right},",
        "v1;{right}",
        "v1,{right}\u00a0",
    ],
)
def test_a_malformed_standard_signature_is_refused(signature: str) -> None:
    """No comma, no version, another version, no base64, or extra text."""
    right = standard_signature().removeprefix("v1,")
    signed = standard_request()
    headers = (*signed.headers[:2], ("webhook-signature", signature.replace("{right}", right)))
    assert not passes(STANDARD, replace(signed, headers=headers), STANDARD_SECRET)


@pytest.mark.parametrize("before", [0, 1, 15])
def test_one_of_several_standard_signatures_is_enough(before: int) -> None:
    """A sender that rotates its keys signs with all of them. Other versions are ignored."""
    wrong = standard_signature(secret=OTHER_STANDARD_SECRET)
    listed = ["v1a,xyz", "v2,xyz", *[wrong] * before, standard_signature(), wrong, "junk"]
    signed = standard_request()
    headers = (*signed.headers[:2], ("webhook-signature", " ".join(listed)))
    assert passes(STANDARD, replace(signed, headers=headers), STANDARD_SECRET)


def test_no_more_than_sixteen_signatures_are_tried() -> None:
    """A header full of guesses does not cost unlimited work."""
    wrong = standard_signature(secret=OTHER_STANDARD_SECRET)
    signed = standard_request()
    value = " ".join([*[wrong] * 16, standard_signature()])
    headers = (*signed.headers[:2], ("webhook-signature", value))
    assert not passes(STANDARD, replace(signed, headers=headers), STANDARD_SECRET)


@pytest.mark.parametrize(("length", "taken"), [(4095, True), (4096, True), (4097, False)])
def test_a_signature_header_has_at_most_4096_characters(length: int, taken: bool) -> None:
    """For a list of signatures and for a keyed header."""
    signature = standard_signature()
    padded = "v2," + "x" * (length - len(signature) - 4) + " " + signature
    signed = standard_request()
    headers = (*signed.headers[:2], ("webhook-signature", padded))
    assert len(padded) == length
    assert passes(STANDARD, replace(signed, headers=headers), STANDARD_SECRET) is taken
    header = stripe_header()
    padded = header + ",v0=" + "x" * (length - len(header) - 4)
    assert len(padded) == length
    assert passes(STRIPE, request({"Stripe-Signature": padded}), TEXT_SECRET) is taken


@pytest.mark.parametrize(
    ("event_id", "taken"),
    [
        ("m", True),
        ("m" * 254, True),
        ("m" * 255, True),
        ("m" * 256, False),
        ("", False),
        ("m\n", False),
        ("m\x00", False),
        ("m\u00e9", False),
        ("m\u2028", False),
    ],
)
def test_a_standard_id_can_be_stored(event_id: str, taken: bool) -> None:
    """It is a key of the inbox: 1 to 255 printable ASCII characters."""
    secret, key = secret_of(STANDARD)
    assert passes(STANDARD, sign(STANDARD, key, event_id=event_id), secret) is taken


@pytest.mark.parametrize("scheme", [GITHUB, WITH_ID])
@pytest.mark.parametrize(
    ("event_id", "taken"),
    [("m" * 255, True), ("m" * 256, False), ("m\n", False), ("m\x00", False), ("m\u2028", False)],
)
def test_an_id_of_a_header_can_be_stored(scheme: HmacScheme, event_id: str, taken: bool) -> None:
    """Signed or not, an id that a database cannot store is refused."""
    secret, key = secret_of(scheme)
    assert passes(scheme, sign(scheme, key, event_id=event_id), secret) is taken


def test_an_empty_id_is_none() -> None:
    """An unsigned one counts as absent. For a signed one, the request is refused."""
    secret, key = secret_of(GITHUB)
    assert judge(GITHUB, sign(GITHUB, key, event_id=""), [secret]).unwrap().event_id is None
    secret, key = secret_of(WITH_ID)
    assert not passes(WITH_ID, sign(WITH_ID, key, event_id=""), secret)


# --- layouts ------------------------------------------------------------------------------------


def keyed(*pairs: str) -> HttpRequest:
    """A request with these pairs in its Stripe header. `{right}` is the right signature."""
    then, right = (item.split("=")[1] for item in stripe_header().split(","))
    value = ",".join(pairs).replace("{right}", right).replace("{t}", then)
    return request({"Stripe-Signature": value})


@pytest.mark.parametrize(
    "pairs",
    [
        ("t={t}", "v1={right}"),
        ("v1={right}", "t={t}"),
        ("t={t}", "v1={right}", "v0=old"),
        ("t={t}", "v1=" + "0" * 64, "v1={right}"),
        ("t={t}", "v1={right}", "v1=" + "0" * 64),
        ("t={t}", *["v1=zz"] * 15, "v1={right}"),
        ("t={t}", " v1={right} "),
        ("t={t}", "v1={right}", "", "junk", "a=b=c"),
    ],
)
def test_a_keyed_header_may_hold_several_signatures(pairs: tuple[str, ...]) -> None:
    """Any `v1` may match while Stripe rotates a secret. Other keys are ignored."""
    assert passes(STRIPE, keyed(*pairs), TEXT_SECRET)


@pytest.mark.parametrize(
    "pairs",
    [
        ("v1={right}",),
        ("t={t}",),
        ("t={t}", "t={t}", "v1={right}"),
        ("t={t}", "t=0", "v1={right}"),
        ("t={t}", "v0={right}"),
        ("t={t}", "V1={right}"),
        ("T={t}", "v1={right}"),
        ("t={t}", "v1:{right}"),
        ("t={t}", "v1"),
        ("t={t}", "v1="),
        ("t={t}", "v1={right}00"),
        ("t={t}", "v1= {right}"),
        ("t={t}", "v1=\u0661{right}"),
        ("t={t}", *["v1=zz"] * 16, "v1={right}"),
        ("t={t};v1={right}",),
        ("",),
    ],
)
def test_a_malformed_keyed_header_is_refused(pairs: tuple[str, ...]) -> None:
    """No time, two times, no signature, another key, no hex, or a seventeenth signature."""
    assert not passes(STRIPE, keyed(*pairs), TEXT_SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "{right}",
        "sha1={right}",
        "SHA256={right}",
        "sha256= {right}",
        "sha256={right} ",
        "sha256={right},sha256={right}",
        "sha256=",
        "sha256=zz",
        "sha256=\u0661\u0662",
        "sha256=\ud800",
        "",
    ],
)
def test_a_malformed_bare_header_is_refused(header: str) -> None:
    """Without its prefix, with another prefix, with extra text, or no hex."""
    secret, key = secret_of(GITHUB)
    right = hmac.digest(key, BODY.encode(), "sha256").hex()
    signed = request({"X-Hub-Signature-256": header.replace("{right}", right)})
    assert not passes(GITHUB, signed, secret)


@pytest.mark.parametrize("name", ["shopify", "keyed, base64"])
def test_base64_is_read_strictly(name: str) -> None:
    """Hex, line breaks or the URL-safe alphabet are not accepted."""
    scheme = SIGNING_SCHEMES[name]
    secret, key = secret_of(scheme)
    signed = sign(scheme, key)
    (title, value), *rest = signed.headers
    for wrong in (f"{value}\n", f"{value[:-4]}\n{value[-4:]}", value[:-1], f"{value}===="):
        changed = replace(signed, headers=((title, wrong), *rest))
        assert not passes(scheme, changed, secret) or wrong.strip() == value


# --- no exception, nothing unsigned ---------------------------------------------------------------

TITLES = sorted(
    {title for scheme in SIGNING_SCHEMES.values() for title, _ in sign(scheme, b"").headers}
)
VALUES = st.one_of(
    st.text(st.characters(codec=None)),
    st.just(str(int(SIGNED_AT.timestamp()))),
    st.text("v1,=t0aAfF9 \u00e9\ud800", max_size=40).map("v1,".__add__),
    st.text("0123456789abcdef", max_size=80).map("sha256=".__add__),
    st.text("0123456789abcdef", max_size=80).map(f"t={int(SIGNED_AT.timestamp())},v1=".__add__),
)


@given(
    st.sampled_from(sorted(SIGNING_SCHEMES)),
    st.lists(st.tuples(st.sampled_from(TITLES) | st.text(), VALUES), max_size=8),
    st.binary(max_size=50),
    st.lists(st.text(st.characters(codec=None)).map(Secret), max_size=3),
)
def test_unsigned_requests_are_refused_and_nothing_raises(
    name: str, headers: list[tuple[str, str]], body: bytes, secrets: list[Secret]
) -> None:
    """Random headers and bytes are refused by every scheme."""
    signed = HttpRequest("POST", "https://own.example/", tuple(headers), body)
    assert not is_successful(judge(SIGNING_SCHEMES[name], signed, secrets))


@pytest.mark.parametrize("name", SIGNING_SCHEMES)
def test_a_signature_of_one_scheme_is_none_of_another(name: str) -> None:
    """With the same secret, a request for one scheme is refused by the other."""
    scheme = SIGNING_SCHEMES[name]
    signed = sign(scheme, b"k" * 32)
    for other, judged in SIGNING_SCHEMES.items():
        if other != name:
            assert not passes(judged, signed, Secret("k" * 32))


@given(st.text(st.characters(codec="utf-8"), min_size=1).map("zqCanary".__add__))
def test_a_refusal_repeats_nothing_of_the_request(text: str) -> None:
    """The logged reason holds no header, no body and no secret."""
    for scheme in SIGNING_SCHEMES.values():
        signed = sign(scheme, b"other key", text.encode())
        headers = tuple((title, f"{value}{text}") for title, value in signed.headers)
        for tried in (signed, replace(signed, headers=headers)):
            judged = judge(scheme, tried, [Secret(text)])
            assert "zqCanary" not in repr(judged)


def test_unsigned_events_are_accepted_if_the_connector_allows_them() -> None:
    """It accepts everything, and verifies neither id nor time."""
    judged = judge(AcceptUnsignedEvents(), request({}), [])
    assert judged.unwrap() == Verified(None, False, None)
