"""`python -m igniter_connectors.testing.provider`: a provider until standard input ends.

Prints one line of JSON: `url`, `client_id`, `client_secret`.
"""

import asyncio

from igniter_connectors.testing.provider.process import serve_until_left

asyncio.run(serve_until_left())
