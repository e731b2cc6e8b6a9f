"""What an operation or a block computes: begin with `structured_view`.

views                             structured_view, tensor_views, reshapes
products                          contraction, contraction_bodies, tensor_products
others                            elementwise, computations, equal_regions
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
