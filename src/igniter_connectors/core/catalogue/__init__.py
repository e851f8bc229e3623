"""Providers as data. The public names stand in `igniter_connectors.providers`."""
