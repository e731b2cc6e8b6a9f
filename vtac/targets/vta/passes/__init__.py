"""Passes of the plain path that evaluate constants, ask the evaluator or search schedules: one file, one pass."""
