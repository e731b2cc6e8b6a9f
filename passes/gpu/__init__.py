"""Passes to and on kernels of the wmma dialect."""
