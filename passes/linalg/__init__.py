"""Passes on linalg, and the one from linalg to loop nests."""
