"""Figures of reliability: what must never happen, counted."""
