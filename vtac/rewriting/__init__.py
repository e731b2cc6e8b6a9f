"""What rewrites share: the walker, edits of nests, builders of indices and arguments."""
