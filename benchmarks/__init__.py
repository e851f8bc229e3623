"""Ratios of this library to hand-written floors, to its peers and to the original on Node."""
