"""CUDA text compiled by NVIDIA's tools, inspected, and launched on a GPU."""
