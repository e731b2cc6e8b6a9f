"""Products on tensor cores, by the dialect whose operations they become.

splits of products                product_depth, product_splits, padded_steps
wmma                              fragment_plans, fragment_shapes, fragment_loops
mma                               mma_tiles, mma_intrinsics, warp_tiles
wgmma                             wgmma_tiles
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
