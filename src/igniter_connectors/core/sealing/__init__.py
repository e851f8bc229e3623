"""Sealing of secrets at rest: keys, the envelope's bytes, and what an envelope is bound to."""
