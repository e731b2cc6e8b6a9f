"""Analyses that every pass shares: quasi-affine expressions, blocks, regions, dependences."""
