"""Microsoft Graph's change notifications: each repeats a shared value; nothing is signed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.webhook.batch import MAX_EVENTS
from igniter_connectors.core.webhook.json_object import (
    event_id_in,
    read_list,
    read_object,
    text_in,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import (
    TOO_MANY_EVENTS,
    BatchItem,
    VerificationFailure,
    Verified,
)


def check_microsoft_graph(
    request: HttpRequest, keys: Sequence[SigningKey]
) -> Verified | VerificationFailure:
    """The notifications whose `clientState` is one of the secrets, each in its own body.

    https://learn.microsoft.com/graph/api/resources/changenotificationcollection, read 2026-11
    """
    fields = read_object(request.body)
    notifications = read_list(fields["value"]) if "value" in fields else None
    if not notifications:
        return VerificationFailure("the body has no notifications")
    if len(notifications) > MAX_EVENTS:
        return TOO_MANY_EVENTS
    batch = tuple(item for one in notifications if (item := _verified_item(one, keys)) is not None)
    if not batch:
        return VerificationFailure("no notification's clientState matches")
    return Verified(None, event_id_is_signed=False, signed_at=None, batch=batch)


def _verified_item(notification: msgspec.Raw, keys: Sequence[SigningKey]) -> BatchItem | None:
    fields = read_object(notification)
    state = (text_in(fields, "clientState") or "").encode()
    matched = False
    for key in keys:
        matched |= isinstance(key, bytes) and hmac.compare_digest(state, key)
    if not matched:
        return None
    # Fields beside the list belong to all tenants, and nothing verifies them: leave them out.
    body = b'{"value":[' + bytes(notification) + b"]}"
    return BatchItem(body, event_id_in(fields, "id"))
