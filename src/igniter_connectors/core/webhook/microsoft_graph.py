"""Microsoft Graph's change notifications: a shared value in each, and no signature."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec

from igniter_connectors.core.webhook.batch import MOST_EVENTS, TOO_MANY
from igniter_connectors.core.webhook.json_object import (
    event_id_in,
    read_list,
    read_object,
    text_in,
)
from igniter_connectors.core.webhook.request import Part, Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.signing_keys import SigningKey


def proof_of_graph(request: SignedRequest, keys: Sequence[SigningKey]) -> Verified | Refused:
    """The notifications whose `clientState` is one of the secrets, each in a body of its own.

    https://learn.microsoft.com/graph/api/resources/changenotificationcollection, read 2026-11
    """
    fields = read_object(request.body)
    notifications = read_list(fields["value"]) if "value" in fields else None
    if not notifications:
        return Refused("the body holds no notifications")
    if len(notifications) > MOST_EVENTS:
        return TOO_MANY
    parts = tuple(part for one in notifications if (part := _genuine(one, keys)) is not None)
    if not parts:
        return Refused("no notification's clientState matches")
    return Verified(None, event_id_is_signed=False, signed_at=None, parts=parts)


def _genuine(notification: msgspec.Raw, keys: Sequence[SigningKey]) -> Part | None:
    fields = read_object(notification)
    state = (text_in(fields, "clientState") or "").encode()
    matched = False
    for key in keys:
        matched |= isinstance(key, bytes) and hmac.compare_digest(state, key)
    if not matched:
        return None
    # Fields beside the list are of all tenants together, and proven by nothing.
    body = b'{"value":[' + bytes(notification) + b"]}"
    return Part(body, event_id_in(fields, "id"))
