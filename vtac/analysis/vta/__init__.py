"""What the VTA's units, memories and tokens can do for a block.

units                             gemm, kernel_shapes, unmapped
memories and transfers            transfers, sram_plan
tokens                            token_plan
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
