"""Every row of the table, in the order in which it is printed."""

from benchmarks import actions, sealing, startup, webhooks

ROWS = (*sealing.ROWS, *actions.ROWS, *webhooks.ROWS, *startup.ROWS)
