"""Programs with their schedules and numpy references, for examples, tests and measurements.

By subject; `networks/` has whole networks of int8:

    the VTA, on tiles              vadd, matmul, conv2d, conv_window, tile_schedules, reference
    tensor cores, products         wmma_matmul, wmma_matmul_text, wmma_matmul_schedule, mma_matmul
    tensor cores, convolutions     wmma_conv2d, wmma_conv2d_plain, nhwc_conv2d, wmma_seed, wmma_fast, wmma_tiles,
                                   mma_conv2d
    tensor cores, whole functions  attention, encoder, float_resnet, untuned, wmma_reference
    text                           linalg_text, tensor_text, float_text
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
