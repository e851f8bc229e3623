"""The verbs. Each gathers through ports, has core decide, and acts through ports."""
