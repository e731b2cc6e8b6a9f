"""Compilation of functions on plain tensors: constants packed at compile time, device functions compiled one by one."""
