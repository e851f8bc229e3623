"""Reliability figures: each counts failures that must never happen."""
