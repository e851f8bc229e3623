"""HTTP messages as values, our own routes, and which URLs are safe."""
