"""What the SQLite and the PostgreSQL store share: columns, statements, and methods."""
