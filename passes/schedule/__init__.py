"""Passes on scheduled loop nests that know no machine."""
