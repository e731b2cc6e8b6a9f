"""Trained models: a graph of layers that runs in numpy, float32, layer by layer."""
