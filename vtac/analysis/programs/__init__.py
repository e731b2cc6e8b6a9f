"""Functions of a plain program: which belong together, in which order, and where their values lie.

groups and levels                 fusion_groups, call_levels, placements
what they hold                    contraction_counts, reductions_of_tensors, callers_values
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
