"""A connection: as it is stored, as callers see it, its health and its explanation."""
