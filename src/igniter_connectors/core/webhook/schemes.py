"""Signature schemes as data: what is signed, with what, and where it stands."""

from __future__ import annotations

import base64
import re
from binascii import a2b_base64
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal

import msgspec

from igniter_connectors.core.secret import Secret

_PLACEHOLDER: Final = re.compile(r"\{(id|timestamp|body)\}")
_STANDARD_PREFIX: Final = b"whsec_"


class StandardWebhooks(msgspec.Struct, frozen=True, tag="standard-webhooks"):
    """Standard Webhooks 1.0, symmetric: HMAC-SHA256 over `id.timestamp.body`, base64, `v1,…`.

    `header_prefix` is `webhook`, or `svix` for those who send Svix's older names. A secret
    is `whsec_` and base64 of 24 to 64 bytes.
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    header_prefix: Literal["webhook", "svix"] = "webhook"
    tolerance: timedelta = timedelta(minutes=5)


STANDARD_HEADERS: Final = {
    prefix: (f"{prefix}-id", f"{prefix}-timestamp", f"{prefix}-signature")
    for prefix in ("webhook", "svix")
}
"""By `header_prefix`: the names of the headers with the id, the time and the signatures."""


class BareSignature(msgspec.Struct, frozen=True, tag="bare"):
    """A header that holds one signature, perhaps behind a prefix such as `sha256=`."""

    prefix: str = ""


class KeyedSignature(msgspec.Struct, frozen=True, tag="keyed"):
    """A header of `key=value` pairs with commas between: a time, and one or more signatures."""

    signature: str = "v1"
    timestamp: str = "t"


class HmacScheme(msgspec.Struct, frozen=True, kw_only=True, tag="hmac"):
    """An HMAC of one's provider, as data.

    Attributes:
        header: Where the signature stands.
        layout: How it stands there.
        signed: The bytes signed, with `{body}`, and `{timestamp}` or `{id}` where used.
        timestamp_header: Where the time stands, in seconds; "" where the layout holds it
            or none is signed.
        id_header: Where the event's id stands; "" where there is none.
        tolerance: How far the signed time may be from now, either way.
    """

    header: str
    layout: BareSignature | KeyedSignature = BareSignature()
    signed: str = "{body}"
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = ""
    id_header: str = ""
    tolerance: timedelta = timedelta(minutes=5)


class AcceptUnsignedEvents(msgspec.Struct, frozen=True, tag="unsigned"):
    """No verification: whoever learns the endpoint's URL can make the handler run."""


Verification = StandardWebhooks | HmacScheme | AcceptUnsignedEvents

STRIPE: Final = HmacScheme(
    header="Stripe-Signature", layout=KeyedSignature(), signed="{timestamp}.{body}"
)
"""https://docs.stripe.com/webhooks#verify-manually, read 2026-11"""

GITHUB: Final = HmacScheme(
    header="X-Hub-Signature-256",
    layout=BareSignature("sha256="),
    id_header="X-GitHub-Delivery",
)
"""https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, read 2026-11"""


@lru_cache(maxsize=256)
def signed_parts(template: str) -> tuple[str, ...]:
    """The template cut at its placeholders: literal, name, literal, …, literal."""
    return tuple(_PLACEHOLDER.split(template))


def scheme_fault(scheme: Verification) -> str | None:
    """Why a scheme could not protect anything; None where it can."""
    if not isinstance(scheme, HmacScheme):
        return None
    names = signed_parts(scheme.signed)[1::2]
    has_time = bool(scheme.timestamp_header) or isinstance(scheme.layout, KeyedSignature)
    if names.count("body") != 1:
        return "the signed template holds {body} once"
    if ("timestamp" in names) != has_time:
        return "a time is both signed ({timestamp}) and sent (timestamp_header, or a keyed layout)"
    if "id" in names and not scheme.id_header:
        return "a signed {id} needs id_header"
    return None


def headers_read(scheme: Verification) -> frozenset[str]:
    """The names, in lower case, of the headers that verification looks at."""
    match scheme:
        case StandardWebhooks():
            return frozenset(STANDARD_HEADERS[scheme.header_prefix])
        case HmacScheme():
            names = (scheme.header, scheme.timestamp_header, scheme.id_header)
            return frozenset(name.lower() for name in names if name)
        case AcceptUnsignedEvents():
            return frozenset()


def signing_key(scheme: Verification, secret: Secret) -> bytes | None:
    """The HMAC key that a secret stands for; None where it is not one of this scheme."""
    try:
        return key_in(scheme, secret.reveal().encode())
    except UnicodeEncodeError:
        return None


def key_in(scheme: Verification, opened: bytes) -> bytes | None:
    """As `signing_key`, of a secret's bytes as they come out of an envelope.

    Every delivery pays for this, and wrapping the bytes first would cost it 0.3 µs.
    """
    if not isinstance(scheme, StandardWebhooks):
        return opened or None
    try:
        key = a2b_base64(opened.removeprefix(_STANDARD_PREFIX), strict_mode=True)
    except ValueError:
        return None
    return key if 24 <= len(key) <= 64 else None


def new_signing_secret(scheme: Verification, entropy: bytes) -> Secret:
    """A secret of this scheme's form, from 32 random bytes."""
    if isinstance(scheme, StandardWebhooks):
        return Secret((_STANDARD_PREFIX + base64.b64encode(entropy)).decode())
    return Secret(entropy.hex())
