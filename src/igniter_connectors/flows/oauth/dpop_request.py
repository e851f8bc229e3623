"""Sends a request with a DPoP proof, and once more if the server demands a nonce. RFC 9449."""

from __future__ import annotations

from datetime import timedelta

from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
)
from igniter_connectors.core.oauth.dpop import required_nonce, with_proof
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.tenant_http import TenantHttp


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

    A server that demands a nonce in the proof has not processed the request, so it is sent
    once more (RFC 9449 section 8).
    """
    if key is None:
        return await http.send(request, deadline=deadline, limit_bytes=limit_bytes)
    engine = http.engine
    started = engine.clock.monotonic()
    proven = with_proof(request, key, signing=engine.signing_context(), access_token=access_token)
    answer = await http.send(proven, deadline=deadline, limit_bytes=limit_bytes)
    nonce = required_nonce(answer.unwrap()) if is_successful(answer) else None
    left = deadline - timedelta(seconds=engine.clock.monotonic() - started)
    if nonce is None or left <= timedelta():
        return answer
    proven = with_proof(
        request, key, signing=engine.signing_context(), access_token=access_token, nonce=nonce
    )
    return await http.send(proven, deadline=left, limit_bytes=limit_bytes)
