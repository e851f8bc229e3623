"""Sends a request with a DPoP proof, and again while the server demands a new nonce. RFC 9449."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    origin_of,
)
from igniter_connectors.core.oauth.dpop import required_nonce, server_nonce, with_proof
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.tenant_http import TenantHttp

_MAX_ATTEMPTS: Final = 4
_MAX_ORIGINS: Final = 1000


async def send_bound(
    http: TenantHttp,
    request: HttpRequest,
    key: Secret | None,
    *,
    access_token: Secret | None = None,
    deadline: timedelta = DEADLINE,
    limit_bytes: int = RESPONSE_LIMIT_BYTES,
) -> Result[HttpResponse, HttpFailed]:
    """Sends the request with a proof of the key; without a key, sends it as it is.

    The last nonce of this server is in the first proof. A server that demands another one has
    not processed the request, so it is sent again, at most three times (RFC 9449 sections 8 and
    8.2): a nonce may expire while others use it.
    """
    if key is None:
        return await http.send(request, deadline=deadline, limit_bytes=limit_bytes)
    engine = http.engine
    started, origin, nonces = engine.clock.monotonic(), origin_of(request.url), engine.dpop_nonces
    left, attempts = deadline, 0
    while True:
        proven = with_proof(
            request,
            key,
            signing=engine.signing_context(),
            access_token=access_token,
            nonce=nonces.get(origin),
        )
        answer = await http.send(proven, deadline=left, limit_bytes=limit_bytes)
        if not is_successful(answer):
            return answer
        response = answer.unwrap()
        nonce = server_nonce(response)
        if nonce is not None:
            if origin not in nonces and len(nonces) >= _MAX_ORIGINS:
                nonces.clear()
            nonces[origin] = nonce
        left = deadline - timedelta(seconds=engine.clock.monotonic() - started)
        attempts += 1
        if required_nonce(response) is None or left <= timedelta() or attempts >= _MAX_ATTEMPTS:
            return answer
