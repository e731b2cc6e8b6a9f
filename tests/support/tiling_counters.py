"""What the counters of a workload must be, from its shape and tiling alone."""

from __future__ import annotations

from math import prod

from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

Counters = dict[str, int]


def vadd_counters(layer: VectorAdd) -> Counters:
    """Every tile of both operands is loaded, added and stored once."""
    tiles = prod(layer.shape[:2])
    config = layer.config
    return {
        "inp_load_nbytes": 0,
        "wgt_load_nbytes": 0,
        "acc_load_nbytes": 2 * tiles * config.acc_element_bytes,
        "out_store_nbytes": tiles * config.out_element_bytes,
        "gemm_counter": 0,
        "alu_counter": tiles,
    }


def matmul_counters(layer: Matmul, tiling: MatmulTiling) -> Counters:
    """Data is loaded once per block of output features, the weight once per block of rows."""
    config = layer.config
    rows, depth, columns = layer.data_shape[0], layer.data_shape[1], layer.weight_shape[0]
    row_blocks = -(-layer.batch // (tiling.batch_block or config.batch))
    column_blocks = -(-layer.out_features // tiling.out_block)
    return {
        "inp_load_nbytes": column_blocks * rows * depth * config.inp_element_bytes,
        "wgt_load_nbytes": row_blocks * columns * depth * config.wgt_element_bytes,
        "acc_load_nbytes": 0,
        "out_store_nbytes": rows * columns * config.out_element_bytes,
        "gemm_counter": rows * columns * depth,
        "alu_counter": 3 * rows * columns,
    }


def conv2d_counters(layer: Conv2D, tiling: Conv2DTiling) -> Counters:
    """Data is loaded with its halo once per block of output channels, the kernel once per block of the rest."""
    config = layer.config
    images, depth = layer.data_shape[:2]
    channels = layer.kernel_shape[0]
    outputs = images * channels * layer.out_height * layer.out_width
    blocks = [-(-layer.batch // (tiling.batch_block or config.batch))]
    blocks += [-(-layer.out_height // tiling.h_block), -(-layer.out_width // tiling.w_block)]
    channel_blocks = -(-layer.out_channels // tiling.oc_block)
    weights = channels * depth * layer.kernel**2
    return {
        "inp_load_nbytes": channel_blocks * images * depth * _data_tiles(layer, tiling) * config.inp_element_bytes,
        "wgt_load_nbytes": prod(blocks) * weights * config.wgt_element_bytes,
        "acc_load_nbytes": 0,
        "out_store_nbytes": outputs * config.out_element_bytes,
        "gemm_counter": outputs * depth * layer.kernel**2,
        "alu_counter": 3 * outputs,
    }


def _data_tiles(layer: Conv2D, tiling: Conv2DTiling) -> int:
    """Tiles loaded for one image and channel block, over all blocks of rows and columns.

    Where one LOAD cannot do it (nothing exists, or over 15 rows or columns of zeros), the whole tile is first filled
    from a row of zeros.
    """
    rows = _windows(layer, layer.height, layer.out_height, tiling.h_block)
    columns = _windows(layer, layer.width, layer.out_width, tiling.w_block)
    total = 0
    for row in rows:
        for column in columns:
            exists = row[1] * column[1]
            is_one_load = exists > 0 and max(row[2], column[2]) <= 15
            total += exists if is_one_load else exists + row[0] * column[0]
    return total


def _windows(layer: Conv2D, whole: int, outputs: int, block: int) -> list[tuple[int, int, int]]:
    """Per block of outputs: indices on chip, those that exist, and the larger of its two pads."""
    windows: list[tuple[int, int, int]] = []
    for first in range(0, outputs, block):
        start = first * layer.stride - layer.padding
        size = min((block - 1) * layer.stride + layer.kernel, whole + layer.padding - start)
        before, after = max(0, -start), max(0, start + size - whole)
        windows.append((size, max(0, size - before - after), max(before, after)))
    return windows
