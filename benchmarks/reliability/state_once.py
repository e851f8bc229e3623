"""One state, sent a hundred times concurrently to two applications: one code exchange."""

import asyncio
import tempfile
from pathlib import Path

import httpx

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import provider_of, running_apps
from igniter_connectors import SQLiteStore
from igniter_connectors.testing import running_provider

TIMES = 100


async def state_once() -> Figure:
    """Counts exchanges and accepted callbacks."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connectors.db"
        stores = [SQLiteStore(file), SQLiteStore(file)]
        async with (
            running_provider() as provider,
            running_apps(provider_of(provider), stores) as made,
            httpx.AsyncClient(trust_env=False) as browser,
        ):
            callback = await made[0].begin(browser)
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            headers = {"x-session": "acme/ada", "cookie": cookie}
            urls = [callback.replace(made[0].origin, made[n % 2].origin) for n in range(TIMES)]
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                answers = await asyncio.gather(*(client.get(url, headers=headers) for url in urls))
            rows = await stores[0].count_by_connector()
            exchanges = provider.token_requests
    statuses = sorted(answer.status_code for answer in answers)
    return Figure(
        "state-once",
        f"{exchanges} exchanges, {statuses.count(303)} of {TIMES} accepted, {rows} rows",
        "1 exchange, 1 accepted",
        exchanges == 1 and statuses == [303] + [400] * (TIMES - 1) and rows == {"forge": 1},
    )
