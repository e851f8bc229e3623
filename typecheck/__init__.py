"""What type checkers accept and refuse of the public API. Read by checkers, never executed."""
