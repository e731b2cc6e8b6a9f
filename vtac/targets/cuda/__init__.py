"""CUDA C++ text and its launch record: compile check, execution without a GPU, launch on one."""
