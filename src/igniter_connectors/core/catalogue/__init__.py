"""Known OAuth providers as data. The public names are in `igniter_connectors.providers`."""
