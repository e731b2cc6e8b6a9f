"""Pattern-rewrite passes: one file, one pass."""
