"""The test suite for any store: checks, each an async function of an open, empty store.

```python
@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_my_store(check):
    store = MyStore()
    await store.open()
    await check(store)
    await store.close()
```
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from igniter_connectors.ports import Store
from igniter_connectors.testing.endpoints_contract import ENDPOINTS_CONTRACT
from igniter_connectors.testing.grants_contract import GRANTS_CONTRACT
from igniter_connectors.testing.inbox_contract import INBOX_CONTRACT
from igniter_connectors.testing.inbox_states_contract import INBOX_STATES_CONTRACT
from igniter_connectors.testing.leases_contract import LEASES_CONTRACT
from igniter_connectors.testing.revocations_contract import REVOCATIONS_CONTRACT
from igniter_connectors.testing.routing_contract import ROUTING_CONTRACT
from igniter_connectors.testing.rows_contract import ROWS_CONTRACT

STORE_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    *ROWS_CONTRACT,
    *LEASES_CONTRACT,
    *GRANTS_CONTRACT,
    *REVOCATIONS_CONTRACT,
    *ENDPOINTS_CONTRACT,
    *INBOX_CONTRACT,
    *INBOX_STATES_CONTRACT,
    *ROUTING_CONTRACT,
)
"""Every check. Give each an open and empty store, whose clock runs in real time."""
