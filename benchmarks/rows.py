"""All rows of the table, in the order of printing."""

from benchmarks import (
    actions,
    grow,
    resolve,
    sealing,
    startup,
    webhook_inbox,
    webhook_original,
    webhooks,
)

ROWS = (
    *sealing.ROWS,
    *resolve.ROWS,
    *actions.ROWS,
    *webhooks.ROWS,
    *webhook_inbox.ROWS,
    *webhook_original.ROWS,
    *grow.ROWS,
    *startup.ROWS,
)
