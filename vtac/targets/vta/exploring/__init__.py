"""Sweeps over configurations of the hardware: each point a compiled and proven program with exact cycles."""
