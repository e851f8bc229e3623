"""The definition of one integration: its config type, its actions, and the builder."""
