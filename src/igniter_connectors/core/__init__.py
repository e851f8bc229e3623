"""What decides: pure functions over frozen values. No async, clock, entropy, logging or I/O."""
