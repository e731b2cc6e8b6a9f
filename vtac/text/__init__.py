"""MLIR text in: parsing with locations, verification, diagnostics."""
