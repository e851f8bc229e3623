"""Every row of the table, in the order in which it is printed."""

from benchmarks import actions, grow, resolve, sealing, startup, webhook_inbox, webhooks

ROWS = (
    *sealing.ROWS,
    *resolve.ROWS,
    *actions.ROWS,
    *webhooks.ROWS,
    *webhook_inbox.ROWS,
    *grow.ROWS,
    *startup.ROWS,
)
