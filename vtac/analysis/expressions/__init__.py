"""Index expressions over loop variables: begin with `linear`.

expressions                       linear, affine_expressions, coarse_divisions
what follows from them            separation, counters, trips, numbers
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
