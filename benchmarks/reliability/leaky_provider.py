"""An OpenID provider that quotes secrets in its responses, with every extension that we support.

It supports pushed requests, DPoP with nonces, ID tokens, devices and signed client assertions. In
the mode "errors", every endpoint returns an error that quotes all secrets seen so far. In the mode
"invalid", it returns 200 with a page that quotes them.
"""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from igniter_connectors.testing.provider.http_server import Request, Response

Mode = Literal["normal", "errors", "invalid"]

_SECRET_FIELDS = (
    "client_assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "device_code",
    "state",
    "nonce",
)


class LeakyProvider:
    """The provider. `url` is set when it is served. `now` is the clock of its ID tokens."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.url = ""
        self.mode: Mode = "normal"
        self.secrets: list[str] = []
        self.texts: list[str] = []
        self.requested: set[tuple[Mode, str]] = set()
        self._now = now
        self._key = ECKey.generate_key("P-256", {"kid": "1"})
        self._pushed: dict[str, dict[str, str]] = {}
        self._nonces: dict[str, str] = {}

    async def handle(self, request: Request) -> Response:
        """Records the secrets in the request, and responds according to the mode."""
        form = request.form() if request.method == "POST" else dict(request.query)
        self.secrets += [form[name] for name in _SECRET_FIELDS if name in form]
        self.secrets += [
            request.headers[name].rpartition(" ")[2]
            for name in ("dpop", "authorization")
            if name in request.headers
        ]
        self.requested.add((self.mode, request.path))
        if request.path == "/authorize":
            return self._authorize(form)
        if self.mode == "errors":
            return self._error()
        if self.mode == "invalid":
            return Response(200, {"x-debug": self._text()}, f"<p>{self._everything()}".encode())
        match request.path:
            case "/par":
                uri = self._secret("request-uri")
                self._pushed[uri] = form
                return _json(201, request_uri=uri, expires_in=60)
            case "/token":
                return self._token(form, request.headers)
            case "/userinfo":
                return _json(200, sub="ada", hidden=self._text())
            case "/jwks":
                return _json(200, keys=[self._key.as_dict(private=False)])
            case "/device":
                return _json(
                    200,
                    device_code=self._secret("device-code"),
                    user_code="WDJB-MJHT",
                    verification_uri=f"{self.url}/verify",
                    expires_in=600,
                )
            case _:
                return Response(200)

    def _authorize(self, form: dict[str, str]) -> Response:
        parameters = self._pushed.get(form.get("request_uri", ""), form)
        answer = {"state": parameters["state"], "iss": self.url}
        if self.mode == "normal":
            answer["code"] = self._secret("code")
            self._nonces[answer["code"]] = parameters["nonce"]
        else:
            answer |= {"error": self._text(), "error_description": self._everything()}
        return Response(302, {"location": f"{parameters['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, form: dict[str, str], headers: dict[str, str]) -> Response:
        if "nonce" not in _payload(headers["dpop"]):
            nonce = self._secret("dpop-nonce")
            error = {"error": "use_dpop_nonce", "error_description": self._everything()}
            return Response(400, {"dpop-nonce": nonce}, json.dumps(error).encode())
        now = int(self._now().timestamp())
        claims = {
            "iss": self.url,
            "sub": "ada",
            "aud": "vault",
            "exp": now + 3600,
            "iat": now,
            "nonce": self._nonces.get(form.get("code", ""), ""),
        }
        id_token = jwt.encode({"alg": "ES256", "kid": "1"}, claims, self._key, ["ES256"])
        self.secrets.append(id_token)
        return _json(
            200,
            access_token=self._secret("access-token"),
            refresh_token=self._secret("refresh-token"),
            token_type="DPoP",
            expires_in=3600,
            id_token=id_token,
            instance=self._secret("token-extra"),
            hidden=self._text(),
        )

    def _error(self) -> Response:
        error = {
            "error": self._text(),
            "error_description": self._everything(),
            "error_uri": f"https://x.example/{self._text()}",
        }
        headers = {"www-authenticate": f'DPoP error="{self._text()}"', "x-debug": self._text()}
        return Response(400, headers, json.dumps(error).encode())

    def _secret(self, kind: str) -> str:
        made = f"canary-{kind}-{secrets.token_urlsafe(18)}"
        self.secrets.append(made)
        return made

    def _text(self) -> str:
        """A text of the provider, which must not appear anywhere either."""
        made = f"canary-text-{secrets.token_hex(8)}"
        self.texts.append(made)
        return made

    def _everything(self) -> str:
        return " ".join([self._text(), *self.secrets[-40:]])


def _payload(proof: str) -> dict[str, object]:
    part = proof.split(".")[1]
    return msgspec.json.decode(
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, object]
    )


def _json(status: int, **body: object) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())
