"""Random interleavings of the product's own code, in virtual time, from one seed each."""
