"""What was measured is kept: one file of SQLite, which several programs may write at once."""
