"""Default schedules for tensor cores: of one contraction with its padding and its tail, and of what has none.

By subject:

    entry                        defaults, instructions, measured
    the product in a program     product_blocks, product_matrices, shape, lanes
    tilings, and what they cost  tiling, footprint, roof, padded_shares, product_clusters,
                                 box_tilings
    directives                   product_directives, warp_loops, grid_blocks, threads
      by instruction             mma_products, wgmma_products, tma_products, box_products, box_results
    without tensor cores         elementwise, row_blocks
"""

from vtac.lazily import submodules_of
from vtac.targets.cuda.schedules.defaults import default_schedule

__getattr__ = submodules_of(__name__)

__all__ = ["default_schedule"]
