"""What touches the outside: databases, HTTP, the system's clock and entropy."""
