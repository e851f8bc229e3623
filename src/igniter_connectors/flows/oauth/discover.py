"""Fetches the metadata of an authorization server. RFC 8414, OpenID Connect Discovery."""

from __future__ import annotations

from returns.pipeline import is_successful
from returns.result import Failure, Result

from igniter_connectors.core.http.messages import HttpClient, HttpFailed, HttpResponse
from igniter_connectors.core.oauth.discovery import (
    ServerMetadata,
    discovery_requests,
    is_document_missing,
    judge_discovery,
)
from igniter_connectors.core.problem import DiscoveryFailed


async def discover(http: HttpClient, issuer: str) -> Result[ServerMetadata, DiscoveryFailed]:
    """The metadata that the issuer publishes: the first document that exists counts."""
    requests = discovery_requests(issuer)
    if not is_successful(requests):
        return Failure(requests.failure())
    answer: HttpResponse | HttpFailed = HttpFailed(sent=False)
    for request in requests.unwrap():
        sent = await http.send(request)
        answer = sent.unwrap() if is_successful(sent) else sent.failure()
        if isinstance(answer, HttpFailed) or not is_document_missing(answer):
            break
    return judge_discovery(answer, issuer)
