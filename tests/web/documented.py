"""Checks each answer of a served application against its OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import httpx
import jsonschema_rs
from litestar import Litestar


class Documented:
    """The document of an application. `check` is a hook for httpx."""

    def __init__(self, app: Litestar) -> None:
        self._app = app

    async def check(self, answer: httpx.Response) -> None:
        """The document has the operation, and the answer's status, media type and schema.

        A route that is not in the document answers 404 or 405. `/schema` itself is skipped.
        """
        path, method = answer.request.url.path, answer.request.method.lower()
        if path.startswith("/schema"):
            return
        document = self._app.openapi_schema.to_schema()
        items = [item for known, item in document["paths"].items() if _is_at(path, known)]
        status = str(answer.status_code)
        if not items or method not in items[0]:
            assert status == ("405" if items else "404"), f"{method} {path} is not in the document"
            return
        responses: dict[str, Any] = items[0][method]["responses"]
        assert status in responses, f"{method} {path} answered {status}"
        content = responses[status].get("content")
        await answer.aread()
        if content is None:
            assert not answer.content, f"{method} {path} answered {status} with a body"
            return
        media = answer.headers["content-type"].partition(";")[0]
        assert media in content, f"{method} {path} answered {status} as {media}"
        if media.endswith("json"):
            validator_of(document, content[media]["schema"]).validate(answer.json())


def validator_of(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A validator of one of the document's schemas."""
    rooted = {**schema, "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(rooted, validate_formats=True)


def _is_at(path: str, known: str) -> bool:
    """Whether a path matches a path of the document."""
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known))
    return re.fullmatch(pattern, path.rstrip("/") or "/") is not None
