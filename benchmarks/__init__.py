"""Speed of this library relative to hand-written floors, other libraries, and the original."""
