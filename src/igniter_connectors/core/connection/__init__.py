"""A connection as it is stored and shown, and what its state means."""
