"""Zoom's challenge: can the response be used to forge an event?

The response contains an HMAC with the same secret that signs events. Someone who chooses the token
could therefore get their own event signed. Two attackers try that: one who only knows the URL, and
one who makes Zoom send a challenge with any token, so that the challenge is genuinely signed. Each
returned digest is tried as the signature of every event that the token can be read as.
"""

import hashlib
import hmac
import random
from datetime import UTC, datetime

import msgspec

from benchmarks.reliability.figure import Figure
from igniter_connectors import HttpRequest
from igniter_connectors.core.webhook.challenge import challenge_answer
from igniter_connectors.core.webhook.verification import check
from igniter_connectors.webhooks import ZOOM, Verified

KEY, STRANGERS_KEY = b"zoom-secret-token", b"a-guess"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TIMESTAMP = str(int(NOW.timestamp()))
EVENT = '{"event":"app_deauthorized","payload":{}}'
URL = "https://own.example/webhooks/zoom/token"
PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Answer(msgspec.Struct):
    """The body of our response."""

    plainToken: str  # noqa: N815  Zoom's name
    encryptedToken: str  # noqa: N815


def signature(key: bytes, text: bytes) -> str:
    """The signature that Zoom computes."""
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def request(body: bytes, mac: str, timestamp: str = TIMESTAMP) -> HttpRequest:
    """A delivery with this signature."""
    headers = (("x-zm-signature", f"v0={mac}"), ("x-zm-request-timestamp", timestamp))
    return HttpRequest("POST", URL, headers, body)


def question(token: object, key: bytes) -> HttpRequest:
    """A signed `endpoint.url_validation` challenge."""
    asked = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    body = msgspec.json.encode(asked)
    return request(body, signature(key, b"v0:%b:%b" % (TIMESTAMP.encode(), body)))


def tokens(dice: random.Random, tries: int) -> list[object]:
    """Tokens that an attacker would choose, and tokens as Zoom sends them."""
    wanted = f"v0:{TIMESTAMP}:{EVENT}"
    chosen: list[object] = [
        wanted,
        f"v0:{TIMESTAMP}:",
        f"v0:{TIMESTAMP}:7",
        wanted.encode().hex(),
        [wanted],
        {"plainToken": wanted},
        wanted + "\n",
        "\n" + wanted,
        "\ufeff" + wanted,
        wanted.replace(":", "\uff1a"),
        f"a\n{wanted}",
        f"{'a' * 128}\n{wanted}",
    ]
    while len(chosen) < tries:
        length = dice.randint(1, 200)
        plain = "".join(dice.choices(PLAIN, k=length))
        cut = dice.randint(0, length)
        digits = str(dice.randint(0, 10**6))
        chosen += [
            plain,
            plain[:cut] + dice.choice([":", ".", "\n", "\x00", " ", wanted]) + plain[cut:],
            f"v0:{TIMESTAMP}:{digits}",
            f'v0:{TIMESTAMP}:{{"n":{digits}}}',
        ]
    return chosen[:tries]


def readings(token: str) -> list[HttpRequest]:
    """Unsigned events whose signed bytes the token could be."""
    found = []
    prefix, _, rest = token.partition(":")
    timestamp, _, body = rest.partition(":")
    if prefix == "v0":
        found.append(request(body.encode(), "", timestamp))
    found.append(request(token.encode(), ""))
    found.append(request(token.removeprefix(f"v0:{TIMESTAMP}:").encode(), ""))
    return found


def is_forged(event: HttpRequest, mac: str) -> bool:
    """Whether the digest is a valid signature of the event."""
    tried = request(event.body, mac, event.headers[1][1])
    return isinstance(check(ZOOM, tried, [KEY], now=NOW), Verified)


async def zoom_oracle(tries: int = 20_000) -> Figure:
    """Counts responses to unsigned challenges, and events that a response signs."""
    assert is_forged(
        request(EVENT.encode(), ""), signature(KEY, f"v0:{TIMESTAMP}:{EVENT}".encode())
    )
    to_strangers = answered = forged = 0
    for token in tokens(random.Random(0), tries):
        unsigned = HttpRequest("POST", URL, (), question(token, KEY).body)
        for stranger in (unsigned, question(token, STRANGERS_KEY)):
            given = challenge_answer(ZOOM, stranger, [KEY], now=NOW)
            to_strangers += given is not None
        asked = question(token, KEY)
        given = challenge_answer(ZOOM, asked, [KEY], now=NOW)
        if given is None or given.status != 200:
            continue
        answered += 1
        answer = msgspec.json.decode(given.body, type=Answer)
        events = [*readings(answer.plainToken), *readings(str(token)), asked]
        events.append(request(EVENT.encode(), ""))
        forged += any(is_forged(event, answer.encryptedToken) for event in events)
    return Figure(
        "zoom-oracle",
        f"{forged} events forged from {answered} answers; {to_strangers} of {2 * tries} strangers"
        " answered",
        "0 and 0",
        (forged, to_strangers) == (0, 0) and answered > 0,
    )
