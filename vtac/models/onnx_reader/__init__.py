"""ONNX files of float models, opsets 13 to 24, as graphs of layers; needs the package `onnx` when called."""
