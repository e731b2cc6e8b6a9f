"""Trained models: graphs of layers that run in numpy, in float32 and, quantised, in integers."""
