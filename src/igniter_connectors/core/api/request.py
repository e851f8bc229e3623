"""A handler's request to the connector's API: as it was asked for, and as it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.api_base import ResolvedApiBase
from igniter_connectors.core.api.api_url import build_api_url
from igniter_connectors.core.connector.validation import encode_json
from igniter_connectors.core.http.messages import (
    RESPONSE_LIMIT_BYTES,
    HttpRequest,
    form_body,
    single_header,
)

Query = Mapping[str, str | int | float | list[str] | tuple[str, ...]]
"""A query's fields. A bool is `true` or `false`; several values repeat the name."""

DEADLINE: Final = timedelta(seconds=30)
"""How long a call may take in all, with its repetitions, waits and a renewal."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_METHODS: Final = _REPEATABLE | {"POST", "PATCH"}
# Who they are for, and how the message is framed, is settled by the connection.
_FRAMING: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler asked for. `repr` shows the method alone.

    Attributes:
        path: As `build_api_url` takes it.
        query: Added to what the path has of one.
        headers: Their values in ASCII. `Authorization` stands instead of the token.
        json: A value to encode; UNSET for none.
        form: Fields for `application/x-www-form-urlencoded`; None for none.
        body: Bytes as they are; None for none. At most one of the three.
        idempotency_key: Makes any method one that may be repeated. None for none.
        deadline: In all, with repetitions and waits.
        limit_bytes: How long the answer's body may be.
    """

    method: str
    path: str
    query: Query | None = None
    headers: Mapping[str, str] | None = None
    json: object = msgspec.UNSET
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    idempotency_key: str | None = None
    deadline: timedelta = DEADLINE
    limit_bytes: int = RESPONSE_LIMIT_BYTES

    def __repr__(self) -> str:
        return f"ApiRequest({self.method}, …)"


class PreparedRequest(msgspec.Struct, frozen=True):
    """A request that may be sent with the connection's token.

    `is_idempotent`: sending it twice does what sending it once does (RFC 9110 section
    9.2.2), or its key makes it so. `needs_token`: it has no `Authorization` of its own.
    """

    request: HttpRequest
    is_idempotent: bool
    needs_token: bool


def build_request(
    asked: ApiRequest, place: ResolvedApiBase, *, idempotency_header: str
) -> Result[PreparedRequest, str]:
    """The request to send, or the rule that it broke.

    Returns:
        A request whose address has the place's origin, or the rule: another origin or a
        bad path (`build_api_url`), a method other than GET, HEAD, OPTIONS, POST, PUT,
        PATCH, DELETE, a header that frames the message or holds a line end (RFC 9110
        section 5.5), two bodies, a body that JSON or a form cannot carry.
    """
    if asked.method not in _METHODS:
        return Failure(f"its method is none of {', '.join(sorted(_METHODS))}")
    address = build_api_url(place, asked.path)
    if not is_successful(address):
        return Failure(address.failure())
    queried = _with_query(address.unwrap(), asked.query)
    if queried is None:
        return Failure("its query holds a value that is no text and no number")
    headers = tuple((asked.headers or {}).items())
    if asked.idempotency_key is not None:
        headers = (*headers, (idempotency_header, asked.idempotency_key))
    fault = _headers_fault(headers)
    if fault is not None:
        return Failure(fault)
    content = _content(asked)
    if not is_successful(content):
        return Failure(content.failure())
    kind, body = content.unwrap()
    # Some refuse a request that names no agent (GitHub, 2026-11).
    usual = (("Accept", "application/json"), ("User-Agent", "igniter-connectors"), *kind)
    present = {name.lower() for name, _ in headers}
    added = tuple(one for one in usual if one[0].lower() not in present)
    has_key = single_header(headers, idempotency_header) not in (None, "")
    return Success(
        PreparedRequest(
            HttpRequest(asked.method, queried, (*headers, *added), body),
            asked.method in _REPEATABLE or has_key,
            "authorization" not in present,
        )
    )


def _with_query(url: str, query: Query | None) -> str | None:
    if not query:
        return url
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        several = value if isinstance(value, list | tuple) else (value,)
        for one in several:
            # What a type checker refuses: a Secret's text would be `Secret('…')`.
            if not isinstance(one, str | int | float):
                return None
            pairs.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    try:
        encoded = urlencode(pairs)
    except UnicodeEncodeError:
        return None
    return f"{url}{'&' if '?' in url else '?'}{encoded}" if encoded else url


def _headers_fault(headers: Sequence[tuple[str, str]]) -> str | None:
    """The rule that a header breaks; its name is told once it is known to be one."""
    seen: set[str] = set()
    for name, value in headers:
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            return "a header's name is not one (RFC 9110 section 5.1)"
        if lower in _FRAMING:
            return f"the header {lower} is not a handler's to give"
        if not _VALUE.fullmatch(value):
            return f"the header {lower} holds a line end, or a character outside of ASCII"
        if lower in seen:
            return f"the header {lower} stands twice"
        seen.add(lower)
    return None


def _content(asked: ApiRequest) -> Result[tuple[tuple[tuple[str, str], ...], bytes], str]:
    """The `Content-Type` to add, and the body."""
    given = (asked.json is not msgspec.UNSET, asked.form is not None, asked.body is not None)
    if sum(given) > 1:
        return Failure("it has more than one of json, form and body")
    if asked.form is not None:
        try:
            encoded = form_body(asked.form)
        except UnicodeEncodeError:
            return Failure("its form holds text that UTF-8 cannot carry")
        return Success(((("Content-Type", "application/x-www-form-urlencoded"),), encoded))
    if asked.json is msgspec.UNSET:
        return Success(((), asked.body or b""))
    json = encode_json(asked.json)
    if not is_successful(json):
        return Failure("its json holds a secret, or what JSON cannot carry")
    return Success(((("Content-Type", "application/json"),), json.unwrap()))
