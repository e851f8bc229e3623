"""Signature schemes as data: what is signed, with which algorithm, and where the signature is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, assert_never

import msgspec
from returns.result import Result

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

_ANY: Final = re.compile(r"\{\w*\}")
_PLACEHOLDER: Final = re.compile(r"\{(id|timestamp|body|method|url)\}")
_OUTSIDE_PLAIN_TOKEN: Final = re.compile(r"[^A-Za-z0-9_-]")

BodyFormat = Literal["json", "form"]
"""How a body is encoded."""

OpenChallenge = Literal["", "challenge", "WebHook-Request-Origin"]
"""A challenge without a secret; "" for none. `challenge`: a GET with that query parameter, which is
echoed (Dropbox). `WebHook-Request-Origin`: an OPTIONS request with that header, whose origin gets
the permission to deliver (CloudEvents, Azure Event Grid)."""

Challenge = OpenChallenge | Literal["url_verification", "endpoint.url_validation", "hub.challenge"]
"""The challenge that a provider sends before it delivers: Slack's, Zoom's, Meta's, or an
`OpenChallenge`; "" for none. Any other GET, HEAD or OPTIONS request at a known endpoint gets a 200
and does nothing: Trello and Mailchimp probe so."""

REQUEST_ORIGIN: Final = "WebHook-Request-Origin"
"""CloudEvents 1.0.2, HTTP webhooks, section 4.1."""


class StandardWebhooks(msgspec.Struct, frozen=True, tag="standard-webhooks"):
    """Standard Webhooks 1.0: signs `id.timestamp.body`; a header lists the signatures.

    `header_prefix` is `webhook`, or `svix` for providers that send Svix's older names.
    `other_prefix` is read if the header with the id is absent under the first; "" for none. A
    secret is `whsec_` and base64 of 24 to 64 bytes, for HMAC-SHA256 (`v1,…`), or `whpk_` and
    base64 of a public key of 32 bytes, for ed25519 (`v1a,…`). A key is never used with the
    other kind of signature.
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    header_prefix: Literal["webhook", "svix"] = "webhook"
    tolerance: timedelta = timedelta(minutes=5)
    other_prefix: Literal["", "webhook", "svix"] = ""


STANDARD_HEADERS: Final = {
    prefix: (f"{prefix}-id", f"{prefix}-timestamp", f"{prefix}-signature")
    for prefix in ("webhook", "svix")
}
"""The header names for id, time and signatures, by `header_prefix`."""


class BareSignature(msgspec.Struct, frozen=True, tag="bare"):
    """A header with one signature, optionally after a prefix such as `sha256=`."""

    prefix: str = ""


class KeyedSignature(msgspec.Struct, frozen=True, tag="keyed"):
    """A header of comma-separated `key=value` pairs: a time and one or more signatures."""

    signature: str = "v1"
    timestamp: str = "t"


class HmacScheme(msgspec.Struct, frozen=True, kw_only=True, tag="hmac"):
    """A provider's HMAC signature, as data.

    Attributes:
        header: The name of the header with the signature.
        layout: The format of that header.
        signed: A template of the signed bytes, with `{body}` and optionally `{timestamp}`,
            `{id}`, `{method}` or `{url}` (the public URL with its query).
        timestamp_header: The name of the header with the time; "" if the time is in the
            layout or in the body, or is not signed.
        timestamp_field: The top-level field of the JSON body with the time. It is read after
            the signature matched. "" if the time is elsewhere.
        timestamp_unit: The unit of the time, wherever it is.
        id_header: The name of the header with the event id; "" if there is none.
        id_field: The top-level field of the JSON body with the event id, which is therefore
            signed. An event without the field has no id.
        tolerance: The largest difference between the signed time and now, in both directions.
        split_field: The top-level field of the JSON body with a list of events of several
            tenants. Each is handled on its own. "" if a body is always one event.
        body_format: How the payload is encoded.
        challenge: The challenge that the provider sends before it delivers.
        type_header: The name of the header with the event's type; "" if it is in the body. The
            type is not signed, unless it is in the template.
        header_aliases: Pairs of a header's name and another name under which the provider may
            send it. The other name is read if the first one is absent.
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
    type_header: str = ""
    header_aliases: tuple[tuple[str, str], ...] = ()


class TwilioScheme(msgspec.Struct, frozen=True, kw_only=True, tag="twilio"):
    """Twilio: an HMAC over the public URL and the sorted fields of a form; base64, no time.

    With `body_format="json"`, only the URL is signed. Its query has `bodySHA256`, which must
    match the body. The URL is tried with its port and without, because Twilio's servers
    differ. `sha256` is for accounts that sign with a shared key instead of the auth token.
    Names and values are signed without separators. An attacker can move the border between
    them, so do not trust where a value starts or ends.
    https://www.twilio.com/docs/usage/webhooks/webhooks-security; twilio-python 9.13, read 2026-11
    """

    body_format: BodyFormat = "form"
    algorithm: Literal["sha1", "sha256"] = "sha1"


TWILIO_SIGNATURE: Final = "X-Twilio-Signature"
TWILIO_ID: Final = "I-Twilio-Idempotency-Token"
"""The same for each attempt to deliver one event. Not signed."""


class MicrosoftGraphScheme(msgspec.Struct, frozen=True, tag="microsoft-graph"):
    """Microsoft Graph: no signature; each notification repeats the subscription's `clientState`.

    The secret is that value, up to 255 characters. One POST may hold notifications of several
    tenants. Each is compared separately, and those that do not match are dropped. Encrypted
    contents and their `validationTokens` are neither read nor passed on.
    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    """


class CustomVerification(msgspec.Struct, frozen=True, kw_only=True, tag="custom"):
    """A verification function of your own, for a provider that no other scheme describes.

    Attributes:
        judge: A pure function of the request, the valid secrets and the instant of arrival.
            The request's `url` is the public URL. It must not decode anything before it is
            verified, and must compare in constant time (`hmac.compare_digest`). If it
            raises, the request is refused.
        headers: The names of the headers that it reads. It gets no others.
        body_format: How the payload is encoded.
        challenge: The challenge that the provider sends before it delivers.
    """

    judge: Callable[
        [HttpRequest, Sequence[Secret], datetime], Result[Verified, VerificationFailure]
    ]
    headers: tuple[str, ...]
    body_format: BodyFormat = "json"
    challenge: OpenChallenge = ""


class AcceptUnsignedEvents(msgspec.Struct, frozen=True, tag="unsigned"):
    """No verification: anyone who knows the endpoint's URL can run the handler.

    `challenge` is what the provider sends before it delivers.
    """

    body_format: BodyFormat = "json"
    challenge: OpenChallenge = ""


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
    """The template split at its placeholders: literal, name, literal, …, literal."""
    return tuple(_PLACEHOLDER.split(template))


def scheme_fault(scheme: Verification) -> str | None:
    """Why a scheme is not secure or not consistent; None if it is."""
    if not isinstance(scheme, HmacScheme):
        return None
    return _template_fault(scheme) or _body_field_fault(scheme) or _alias_fault(scheme)


def named_headers(scheme: HmacScheme) -> tuple[str, ...]:
    """The headers that a scheme names, without aliases."""
    names = (scheme.header, scheme.timestamp_header, scheme.id_header, scheme.type_header)
    return tuple(name for name in names if name)


def _alias_fault(scheme: HmacScheme) -> str | None:
    known = {name.lower() for name in named_headers(scheme)}
    if not {name.lower() for name, _ in scheme.header_aliases} <= known:
        return "header_aliases must begin with a header of the scheme"
    return None


def _template_fault(scheme: HmacScheme) -> str | None:
    names = signed_parts(scheme.signed)[1::2]
    has_time = bool(scheme.timestamp_header) or isinstance(scheme.layout, KeyedSignature)
    if names.count("body") != 1:
        return "the signed template must contain {body} exactly once"
    unknown = [one for part in signed_parts(scheme.signed)[::2] for one in _ANY.findall(part)]
    if unknown:
        return (
            f"the signed template has no placeholder {unknown[0]}: "
            "{body}, {timestamp}, {id}, {method} and {url} are known"
        )
    if ("timestamp" in names) != has_time:
        return "a time must be signed ({timestamp}) and sent (timestamp_header or a keyed layout)"
    if has_time and scheme.timestamp_field:
        return "a time must be in one place: a header, the layout or timestamp_field"
    if "id" in names and not scheme.id_header:
        return "a signed {id} needs id_header"
    if scheme.id_header and scheme.id_field:
        return "an id must be in one place: id_header or id_field"
    return None


def _body_field_fault(scheme: HmacScheme) -> str | None:
    is_open = scheme.challenge in ("", "challenge", REQUEST_ORIGIN)
    reads_json = scheme.timestamp_field or scheme.id_field or scheme.split_field or not is_open
    if reads_json and scheme.body_format != "json":
        return "fields, lists and challenges can only be read from JSON bodies"
    literals = signed_parts(scheme.signed)[::2]
    # A challenge token is signed with the key of events, so no event may look like a token.
    is_oracle = not any(_OUTSIDE_PLAIN_TOKEN.search(literal) for literal in literals)
    if scheme.challenge == "endpoint.url_validation" and is_oracle:
        return "the answer to endpoint.url_validation would sign events: sign more than {body}"
    return None


def challenge_of(scheme: Verification) -> Challenge:
    """The challenge that a scheme declares; "" for none."""
    if isinstance(scheme, HmacScheme | CustomVerification | AcceptUnsignedEvents):
        return scheme.challenge
    return ""


def headers_read(scheme: Verification) -> frozenset[str]:
    """The lower-case names of the headers that verification and the challenge read."""
    names = _headers_verified(scheme)
    return names | {REQUEST_ORIGIN.lower()} if challenge_of(scheme) == REQUEST_ORIGIN else names


def _headers_verified(scheme: Verification) -> frozenset[str]:
    match scheme:
        case StandardWebhooks():
            others = STANDARD_HEADERS[scheme.other_prefix] if scheme.other_prefix else ()
            return frozenset((*STANDARD_HEADERS[scheme.header_prefix], *others))
        case HmacScheme():
            aliases = (other for _, other in scheme.header_aliases)
            return frozenset(name.lower() for name in (*named_headers(scheme), *aliases))
        case TwilioScheme():
            return frozenset((TWILIO_SIGNATURE.lower(), TWILIO_ID.lower()))
        case CustomVerification():
            return frozenset(name.lower() for name in scheme.headers)
        case MicrosoftGraphScheme() | AcceptUnsignedEvents():
            return frozenset()
        case never:
            assert_never(never)


def body_format(scheme: Verification) -> BodyFormat:
    """How the scheme's bodies are encoded."""
    if isinstance(scheme, StandardWebhooks | MicrosoftGraphScheme):
        return "json"
    return scheme.body_format
