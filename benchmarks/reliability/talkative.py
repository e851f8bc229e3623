"""An OpenID provider with every extension that is spoken here, and that quotes what it was told.

Pushed requests, DPoP with nonces, ID tokens, devices, the client's own name, clients that sign.
When it is angry each endpoint refuses, and says every secret that it ever heard or gave; when it
is mad it answers 200 with a page of them.
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

Mood = Literal["well", "angry", "mad"]

_HEARD = (
    "client_assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "device_code",
    "state",
    "nonce",
)


class Talkative:
    """The provider. `url` is set when it is served; `now` is the clock of its ID tokens."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.url = ""
        self.mood: Mood = "well"
        self.secrets: list[str] = []
        self.texts: list[str] = []
        self.asked: set[tuple[Mood, str]] = set()
        self._now = now
        self._key = ECKey.generate_key("P-256", {"kid": "1"})
        self._pushed: dict[str, dict[str, str]] = {}
        self._nonces: dict[str, str] = {}

    async def answer(self, asked: Request) -> Response:
        """Remembers every secret that came, and answers in its mood."""
        form = asked.form() if asked.method == "POST" else dict(asked.query)
        self.secrets += [form[name] for name in _HEARD if name in form]
        self.secrets += [
            asked.headers[name].rpartition(" ")[2]
            for name in ("dpop", "authorization")
            if name in asked.headers
        ]
        self.asked.add((self.mood, asked.path))
        if asked.path == "/authorize":
            return self._authorize(form)
        if self.mood == "angry":
            return self._angry()
        if self.mood == "mad":
            return Response(200, {"x-debug": self._text()}, f"<p>{self._everything()}".encode())
        match asked.path:
            case "/par":
                uri = self._secret("request-uri")
                self._pushed[uri] = form
                return _json(201, request_uri=uri, expires_in=60)
            case "/token":
                return self._token(form, asked.headers)
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
        asked = self._pushed.get(form.get("request_uri", ""), form)
        answer = {"state": asked["state"], "iss": self.url}
        if self.mood == "well":
            answer["code"] = self._secret("code")
            self._nonces[answer["code"]] = asked["nonce"]
        else:
            answer |= {"error": self._text(), "error_description": self._everything()}
        return Response(302, {"location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, form: dict[str, str], headers: dict[str, str]) -> Response:
        if "nonce" not in _payload(headers["dpop"]):
            nonce = self._secret("dpop-nonce")
            said = {"error": "use_dpop_nonce", "error_description": self._everything()}
            return Response(400, {"dpop-nonce": nonce}, json.dumps(said).encode())
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

    def _angry(self) -> Response:
        said = {
            "error": self._text(),
            "error_description": self._everything(),
            "error_uri": f"https://x.example/{self._text()}",
        }
        headers = {"www-authenticate": f'DPoP error="{self._text()}"', "x-debug": self._text()}
        return Response(400, headers, json.dumps(said).encode())

    def _secret(self, kind: str) -> str:
        made = f"canary-{kind}-{secrets.token_urlsafe(18)}"
        self.secrets.append(made)
        return made

    def _text(self) -> str:
        """Words of the provider's own."""
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
