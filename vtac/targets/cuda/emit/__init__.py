"""Kernels of the wmma level as CUDA C++ text."""
