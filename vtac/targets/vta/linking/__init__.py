"""Compilation of functions on plain tensors: the plain path run, its streams built and proven safe."""
