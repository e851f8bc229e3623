"""Every figure by its name."""

from benchmarks.reliability.canaries import canaries
from benchmarks.reliability.corrupt_row import corrupt_row
from benchmarks.reliability.envelope import envelope
from benchmarks.reliability.figure import Campaign
from benchmarks.reliability.fuzz_signatures import fuzz_signatures
from benchmarks.reliability.zoom_oracle import zoom_oracle

CAMPAIGNS: dict[str, Campaign] = {
    "canaries": canaries,
    "corrupt-row": corrupt_row,
    "envelope": envelope,
    "fuzz-signatures": fuzz_signatures,
    "zoom-oracle": zoom_oracle,
}
