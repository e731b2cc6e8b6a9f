"""Layers in the VTA's packed layouts: as linalg programs, with schedules and numpy references."""
