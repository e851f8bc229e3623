"""Signature schemes as data: what is signed, with what, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, assert_never

import msgspec
from returns.result import Result

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified

_PLACEHOLDER: Final = re.compile(r"\{(id|timestamp|body|method|url)\}")
_OUTSIDE_PLAIN_TOKEN: Final = re.compile(r"[^A-Za-z0-9_-]")

BodyFormat = Literal["json", "form"]
"""How a body is decoded into the payload's type."""

Challenge = Literal["", "url_verification", "endpoint.url_validation", "hub.challenge"]
"""What a provider asks before it delivers, in its own words: Slack's, Zoom's, Meta's; "" none."""


class StandardWebhooks(msgspec.Struct, frozen=True, tag="standard-webhooks"):
    """Standard Webhooks 1.0: signed is `id.timestamp.body`, and the header lists signatures.

    `header_prefix` is `webhook`, or `svix` for those who send Svix's older names. A secret
    is `whsec_` and base64 of 24 to 64 bytes, for HMAC-SHA256 (`v1,…`); or `whpk_` and
    base64 of a public key of 32 bytes, for ed25519 (`v1a,…`). Neither kind of key is
    tried on the other kind of signature.
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
        signed: The bytes signed, with `{body}`, and `{timestamp}`, `{id}`, `{method}` or
            `{url}` (the public one, with its query) where used.
        timestamp_header: Where the time stands; "" where the layout holds it, the body
            does, or none is signed.
        timestamp_field: The outermost field of the JSON body with the time; read once
            the signature matched. "" where it stands elsewhere.
        timestamp_unit: Of the time, wherever it stands.
        id_header: Where the event's id stands; "" where there is none.
        id_field: The outermost field of the JSON body with the event's id, which is
            signed with it. An event without one counts as without an id.
        tolerance: How far the signed time may be from now, either way.
        split_field: The outermost field of the JSON body with a list of events that may
            be of several tenants, each of which goes on alone; "" where there is one.
        body_format: How the payload is encoded.
        challenge: What the provider asks before it delivers.
    """

    header: str
    layout: BareSignature | KeyedSignature = BareSignature()
    signed: str = "{body}"
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = ""
    timestamp_field: str = ""
    timestamp_unit: Literal["seconds", "milliseconds"] = "seconds"
    id_header: str = ""
    id_field: str = ""
    tolerance: timedelta = timedelta(minutes=5)
    split_field: str = ""
    body_format: BodyFormat = "json"
    challenge: Challenge = ""


class TwilioScheme(msgspec.Struct, frozen=True, kw_only=True, tag="twilio"):
    """Twilio: HMAC over the public URL and a form's fields, sorted; base64, no time.

    With `body_format="json"` the URL's query holds `bodySHA256`, which the body must
    match, and the URL alone is signed. The URL is tried with its port and without, since
    Twilio's own servers differ. `sha256` is for accounts that sign with a shared key
    instead of the auth token. Between a field's name, its value and the next name nothing
    is signed: treat values as what a stranger may have divided otherwise.
    https://www.twilio.com/docs/usage/webhooks/webhooks-security; twilio-python 9.13, read 2026-11
    """

    body_format: BodyFormat = "form"
    algorithm: Literal["sha1", "sha256"] = "sha1"


TWILIO_SIGNATURE: Final = "X-Twilio-Signature"
TWILIO_ID: Final = "I-Twilio-Idempotency-Token"
"""The same for each attempt at one event; unsigned."""


class MicrosoftGraphScheme(msgspec.Struct, frozen=True, tag="microsoft-graph"):
    """Microsoft Graph: no signature; each notification repeats the subscription's `clientState`.

    The secret is that value, up to 255 characters. One POST may hold notifications of
    several tenants: each is compared alone, and those that do not match are left out.
    Encrypted contents and their `validationTokens` are not read and not handed on.
    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    """


class CustomVerification(msgspec.Struct, frozen=True, kw_only=True, tag="custom"):
    """A pure function of one's own, where no data describes the provider.

    Attributes:
        judge: From the request, the live secrets and the instant of arrival. It decodes
            nothing of the body that it has not verified, and compares in constant time
            (`hmac.compare_digest`). An exception from it is a refusal.
        headers: The names of those it looks at; it gets no others.
        body_format: How the payload is encoded.
    """

    judge: Callable[[SignedRequest, Sequence[Secret], datetime], Result[Verified, Refused]]
    headers: tuple[str, ...]
    body_format: BodyFormat = "json"


class AcceptUnsignedEvents(msgspec.Struct, frozen=True, tag="unsigned"):
    """No verification: whoever learns the endpoint's URL can make the handler run."""

    body_format: BodyFormat = "json"


Verification = (
    StandardWebhooks
    | HmacScheme
    | TwilioScheme
    | MicrosoftGraphScheme
    | CustomVerification
    | AcceptUnsignedEvents
)


@lru_cache(maxsize=256)
def signed_parts(template: str) -> tuple[str, ...]:
    """The template cut at its placeholders: literal, name, literal, …, literal."""
    return tuple(_PLACEHOLDER.split(template))


def scheme_fault(scheme: Verification) -> str | None:
    """Why a scheme could not protect anything; None where it can."""
    if not isinstance(scheme, HmacScheme):
        return None
    parts = signed_parts(scheme.signed)
    names = parts[1::2]
    has_time = bool(scheme.timestamp_header) or isinstance(scheme.layout, KeyedSignature)
    if names.count("body") != 1:
        return "the signed template holds {body} once"
    if ("timestamp" in names) != has_time:
        return "a time is both signed ({timestamp}) and sent (timestamp_header, or a keyed layout)"
    if has_time and scheme.timestamp_field:
        return "a time stands in one place: a header, the layout or timestamp_field"
    if "id" in names and not scheme.id_header:
        return "a signed {id} needs id_header"
    if scheme.id_header and scheme.id_field:
        return "an id stands in one place: id_header or id_field"
    reads_json = scheme.timestamp_field or scheme.id_field or scheme.split_field or scheme.challenge
    if reads_json and scheme.body_format != "json":
        return "fields, lists and challenges are read from JSON bodies alone"
    is_oracle = not any(_OUTSIDE_PLAIN_TOKEN.search(literal) for literal in parts[::2])
    if scheme.challenge == "endpoint.url_validation" and is_oracle:
        return "the answer to endpoint.url_validation would sign events: sign more than {body}"
    return None


def headers_read(scheme: Verification) -> frozenset[str]:
    """The names, in lower case, of the headers that verification looks at."""
    match scheme:
        case StandardWebhooks():
            return frozenset(STANDARD_HEADERS[scheme.header_prefix])
        case HmacScheme():
            names = (scheme.header, scheme.timestamp_header, scheme.id_header)
            return frozenset(name.lower() for name in names if name)
        case TwilioScheme():
            return frozenset((TWILIO_SIGNATURE.lower(), TWILIO_ID.lower()))
        case CustomVerification():
            return frozenset(name.lower() for name in scheme.headers)
        case MicrosoftGraphScheme() | AcceptUnsignedEvents():
            return frozenset()
        case never:
            assert_never(never)


def body_format(scheme: Verification) -> BodyFormat:
    """How bodies that the scheme took for genuine are encoded."""
    if isinstance(scheme, StandardWebhooks | MicrosoftGraphScheme):
        return "json"
    return scheme.body_format
