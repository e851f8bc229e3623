"""A store in the memory of this process."""

from igniter_connectors.adapters.memory.store import MemoryStore

__all__ = ["MemoryStore"]
