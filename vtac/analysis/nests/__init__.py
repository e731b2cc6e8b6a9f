"""Loop nests and the blocks in them: begin with `nest` and `accesses`.

nests and blocks                  nest, accesses, bodies, tiles, stage
regions of buffers                regions, compaction, layout_accesses, in_place
what is computed again, or summed up
                                  reductions, revisits, updates, constant_fills, runs
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
