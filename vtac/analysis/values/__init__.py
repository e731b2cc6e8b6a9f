"""Values and their ranges: begin with `value_facts`.

facts and ranges                  value_facts, scalar_facts, tensor_ranges, integer_ranges, rising
numbers                           dense_numbers, element_expressions
integers that stand for others    scaled_integers, scaled_floats, scaled_shifts, recipes
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
