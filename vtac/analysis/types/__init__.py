"""Types, sizes, and parts of tensors.

types                             tensor_types, element_kinds, buffer_types
sizes and parts                   sizes, strided_parts, tile_slices
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
