"""Exports CUDA programs as sources: kernels, a launcher in a header, a program that runs them."""
