"""Runs a fake provider until standard input closes.

`python -m igniter_connectors.testing.provider` prints one line of JSON with `url`, `client_id` and
`client_secret`.
"""

import asyncio

from igniter_connectors.testing.provider.process import serve_until_stdin_closes

asyncio.run(serve_until_stdin_closes())
