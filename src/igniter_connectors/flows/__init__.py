"""What the library does: each flow reads through ports, lets core decide, and acts."""
