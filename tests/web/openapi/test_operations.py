"""What Litestar cannot read from types is in the document too."""

from __future__ import annotations

import pytest

from tests.web.openapi.document import document_of, parcels, signed_in


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/connections/{key}", "put"),
        ("/connections/{key}", "patch"),
        ("/connections/{key}/actions/{name}", "post"),
    ],
)
async def test_a_body_may_be_too_large_for_litestar(path: str, method: str) -> None:
    """Litestar refuses it in its own format, beside any problem of the same status."""
    responses = (await document_of(parcels))["paths"][path][method]["responses"]
    assert "application/json" in responses["413"]["content"]


async def test_the_callback_has_the_parameters_of_the_provider() -> None:
    """The route reads them from the raw query. Only `state` is always there."""
    paths = (await document_of(signed_in))["paths"]
    parameters = paths["/connectors/{key}/oauth/callback"]["get"]["parameters"]
    query = {one["name"]: one["required"] for one in parameters if one["in"] == "query"}
    assert query == {"state": True, "code": False, "error": False, "iss": False}
