"""Every row of the table, in the order in which it is printed."""

from benchmarks import actions, grow, resolve, sealing, startup, webhooks

ROWS = (
    *sealing.ROWS,
    *resolve.ROWS,
    *actions.ROWS,
    *webhooks.ROWS,
    *grow.ROWS,
    *startup.ROWS,
)
