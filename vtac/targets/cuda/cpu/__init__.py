"""Executes CUDA C++ text on the CPU, every thread of a block a fiber."""
