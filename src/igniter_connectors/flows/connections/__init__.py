"""Connecting with a config, updating, reading, disconnecting."""
