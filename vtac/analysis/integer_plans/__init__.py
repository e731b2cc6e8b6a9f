"""Plans that put small integers in place of floats and wide integers: begin with `tensor_plan`.

plans                             tensor_plan, scaled_plan, narrow_plan, offset_plan
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
