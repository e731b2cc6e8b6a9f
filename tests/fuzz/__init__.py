"""A fuzzing campaign: generators of valid programs, oracles that are independent of the compiler, and a reducer.

`vtac fuzz TARGET` and `make fuzz` run it; `tests/fuzz/corpus` holds reduced cases with their expected outcome.
"""
