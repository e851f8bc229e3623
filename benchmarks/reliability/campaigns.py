"""Every figure by its name."""

from benchmarks.reliability.canaries import canaries
from benchmarks.reliability.corrupt_row import corrupt_row
from benchmarks.reliability.envelope import envelope
from benchmarks.reliability.figure import Campaign

CAMPAIGNS: dict[str, Campaign] = {
    "canaries": canaries,
    "corrupt-row": corrupt_row,
    "envelope": envelope,
}
