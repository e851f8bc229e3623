"""What a provider's error answer says: the one reader of error answers, for every endpoint.

RFC 6749 section 5.2 has `error` and `error_description` at the top. Providers also nest them
(`{"error": {"code": …}}`), list them (`{"errors": [{"errorType": …}]}`), name them otherwise
(`status`, `message`), and write them in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import decode_response

_ERRORS: Final = ("error", "errors")
_CODES: Final = (
    "error", "code", "type", "error_code", "errorcode", "errorCode", "errorType", "error_type",
    "reason", "status",
)  # fmt: skip
_TEXTS: Final = ("error_description", "errorDescription", "message", "error_message",
                 "errorMessage", "errmsg", "msg", "detail", "description")  # fmt: skip
_MOST: Final = 20
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP: Final = re.compile(r"[\s\-]+")


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The words of an error answer. Compare them with known ones, but never show them.

    `codes` are written as `error_word` does, the most significant one first; none if no code can
    be read. `text` holds the free texts in lower case.
    """

    codes: tuple[str, ...] = ()
    text: str = ""

    def __repr__(self) -> str:
        return "ErrorAnswer(…)"


def error_word(code: str) -> str:
    """A code in lower case with underscores: `INVALID_GRANT` and `invalidGrant` are the same."""
    return _GAP.sub("_", _CAMEL.sub("_", code.strip())).lower()


def error_of(response: HttpResponse, provider: OAuthProvider | None = None) -> ErrorAnswer | None:
    """The error of an answer; None if the answer is not an error.

    An answer is an error if its status is not 2xx, or if it has a non-empty `error` or `errors`
    (Slack and GitHub answer errors with 200). `provider.parse_token` is asked too: it may
    convert an error to `error`.
    """
    answer = decode_response(response)
    is_refused = not 200 <= response.status < 300
    if answer is None:
        return ErrorAnswer() if is_refused else None
    if provider is not None and provider.parse_token is not None:
        converted: JsonValue = None
        with suppress(Exception):  # the application's parser may fail on any input
            converted = provider.parse_token(dict(answer)).get("error")
        if isinstance(converted, str) and converted:
            answer = {**answer, "error": converted, "_error": answer.get("error")}
    if not is_refused and not any(map(answer.get, _ERRORS)):
        return None
    return ErrorAnswer(tuple(dict.fromkeys(_codes(answer))), "\n".join(_texts(answer)))


def is_dead_grant(error: ErrorAnswer, provider: OAuthProvider) -> bool:
    """Whether the provider says that the grant is gone, in a word or text that it declares."""
    declared = {error_word(code) for code in provider.dead_grant_errors}
    return not declared.isdisjoint(error.codes) or any(
        text.lower() in error.text for text in provider.dead_grant_texts
    )


def _nested(answer: dict[str, JsonValue]) -> Iterator[dict[str, JsonValue] | str]:
    for name in (*_ERRORS, "_error"):
        found = answer.get(name)
        for item in found[:_MOST] if isinstance(found, list) else (found,):
            if isinstance(item, dict | str):
                yield item


def _codes(answer: dict[str, JsonValue]) -> Iterator[str]:
    for item in _nested(answer):
        if isinstance(item, str):
            yield from _words(item)
            continue
        resource = item.get("resource")
        for name in _CODES:
            for word in _words(item.get(name)):
                yield word
                # Strava's `invalid` means nothing without what is invalid.
                if isinstance(resource, str):
                    yield f"{error_word(resource)}.{word}"
    for name in _CODES[1:]:
        yield from _words(answer.get(name))


def _words(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield error_word(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


def _texts(answer: dict[str, JsonValue]) -> Iterator[str]:
    for item in (answer, *_nested(answer)):
        if isinstance(item, dict):
            for name in _TEXTS:
                text = item.get(name)
                if isinstance(text, str):
                    yield text.lower()
