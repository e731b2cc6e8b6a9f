"""PyTorch modules and exported programs as graphs of layers; needs the package `torch` when called."""
