"""Passes to and on the vta dialect."""
