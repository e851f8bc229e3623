"""The running manager, one tenant of it, and one tenant at one connector."""
