"""A handler's request to the connector's API, and the HTTP request that is sent for it."""

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
from igniter_connectors.core.api.idempotency_key import IDEMPOTENT_METHODS, is_idempotent
from igniter_connectors.core.connector.validation import encode_json
from igniter_connectors.core.http.messages import (
    RESPONSE_LIMIT_BYTES,
    Headers,
    HttpRequest,
    form_body,
)
from igniter_connectors.core.http.user_agent import with_default_user_agent

Query = Mapping[str, str | int | float | list[str] | tuple[str, ...]]
"""Query parameters. A bool becomes `true` or `false`; a list repeats the name."""

DEADLINE: Final = timedelta(seconds=30)
"""The limit for one call, including retries, waits and a token refresh."""

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_METHODS: Final = IDEMPOTENT_METHODS | {"POST", "PATCH"}
# The HTTP client sets the headers that address and frame the message.
_FRAMING: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A handler's request. `repr` shows only the method.

    Attributes:
        path: A path or URL as `build_api_url` accepts it.
        query: Added to the query that the path has.
        headers: ASCII values. `Authorization` replaces the connection's token.
        json: A value to encode; UNSET for none.
        form: Fields for `application/x-www-form-urlencoded`; None for none.
        body: Raw bytes; None for none. At most one of json, form and body.
        idempotency_key: Allows retries for any method. None for none.
        deadline: The limit for the whole call, with retries and waits.
        limit_bytes: The maximum size of the response body.
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
    """A request that is ready to be sent with the connection's token.

    `is_idempotent`: it may be sent twice, because of its method (RFC 9110 section 9.2.2) or
    its idempotency key. `needs_token`: it has no `Authorization` header of its own.
    """

    request: HttpRequest
    is_idempotent: bool
    needs_token: bool


def build_request(
    request: ApiRequest,
    api: ResolvedApiBase,
    *,
    idempotency_header: str,
    provider_headers: Headers = (),
) -> Result[PreparedRequest, str]:
    """The HTTP request to send, or the rule that the handler's request breaks.

    `provider_headers` are those that every request to the OAuth provider needs; a handler's own
    header of the same name takes precedence.

    Returns:
        A request whose URL has the API's origin, or the broken rule: another origin or a bad
        path (`build_api_url`); a method other than GET, HEAD, OPTIONS, POST, PUT, PATCH and
        DELETE; a header that frames the message or contains a line break (RFC 9110 section
        5.5); two bodies; a body that cannot be encoded as JSON or as a form.
    """
    if request.method not in _METHODS:
        return Failure(f"its method is not one of {', '.join(sorted(_METHODS))}")
    base_url = build_api_url(api, request.path)
    if not is_successful(base_url):
        return Failure(base_url.failure())
    url = _with_query(base_url.unwrap(), request.query)
    if url is None:
        return Failure("its query contains a value that is neither text nor a number")
    headers = tuple((request.headers or {}).items())
    if request.idempotency_key is not None:
        headers = (*headers, (idempotency_header, request.idempotency_key))
    fault = _headers_fault(headers)
    if fault is not None:
        return Failure(fault)
    content = _content(request)
    if not is_successful(content):
        return Failure(content.failure())
    content_type, body = content.unwrap()
    defaults = (
        ("Accept", "application/json"),
        *with_default_user_agent(provider_headers),
        *content_type,
    )
    present = {name.lower() for name, _ in headers}
    added = tuple(header for header in defaults if header[0].lower() not in present)
    return Success(
        PreparedRequest(
            HttpRequest(request.method, url, (*headers, *added), body),
            is_idempotent(request.method, headers, idempotency_header=idempotency_header),
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
            # A type checker refuses this too: a Secret's text would be `Secret('…')`.
            if not isinstance(one, str | int | float):
                return None
            pairs.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    try:
        encoded = urlencode(pairs)
    except UnicodeEncodeError:
        return None
    return f"{url}{'&' if '?' in url else '?'}{encoded}" if encoded else url


def _headers_fault(headers: Sequence[tuple[str, str]]) -> str | None:
    """The rule that a header breaks. A name appears in it only after it was validated."""
    seen: set[str] = set()
    for name, value in headers:
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(name):
            return "a header's name is not valid (RFC 9110 section 5.1)"
        if lower in _FRAMING:
            return f"the header {lower} cannot be set by a handler"
        if not _HEADER_VALUE.fullmatch(value):
            return f"the header {lower} contains a line break or a character outside of ASCII"
        if lower in seen:
            return f"the header {lower} is given twice"
        seen.add(lower)
    return None


def _content(request: ApiRequest) -> Result[tuple[tuple[tuple[str, str], ...], bytes], str]:
    """The `Content-Type` to add, and the body."""
    given = (request.json is not msgspec.UNSET, request.form is not None, request.body is not None)
    if sum(given) > 1:
        return Failure("it has more than one of json, form and body")
    if request.form is not None:
        try:
            encoded = form_body(request.form)
        except UnicodeEncodeError:
            return Failure("its form contains text that UTF-8 cannot encode")
        return Success(((("Content-Type", "application/x-www-form-urlencoded"),), encoded))
    if request.json is msgspec.UNSET:
        return Success(((), request.body or b""))
    json = encode_json(request.json)
    if not is_successful(json):
        return Failure("its json contains a secret, or a value that JSON cannot express")
    return Success(((("Content-Type", "application/json"),), json.unwrap()))
