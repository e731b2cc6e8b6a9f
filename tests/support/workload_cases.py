"""Random shapes, tilings and configurations of the three workloads, as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.conv2d import Conv2D, Conv2DTiling, ThreadAxis
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

DEFAULT = VTAConfig()
BATCH_4 = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)
BATCH_2 = VTAConfig(log_batch=1, log_block=3, log_wgt_buff_size=16)
BLOCK_32 = VTAConfig(log_block=5)
CONFIGS = (DEFAULT, BATCH_4, BATCH_2, BLOCK_32)

AXES: tuple[ThreadAxis, ...] = ("oc", "h")


def blocks(extent: int, *, dividing: bool) -> st.SearchStrategy[int]:
    """Block sizes of a dimension: its divisors, or anything up to its extent."""
    return st.sampled_from([size for size in range(1, extent + 1) if not dividing or extent % size == 0])


@st.composite
def conv2d_cases(draw: DrawFn, *, dividing: bool = True) -> tuple[Conv2D, Conv2DTiling]:
    """A small convolution and a tiling of it; with guards when blocks need not divide."""
    config = draw(st.sampled_from(CONFIGS))
    kernel = draw(st.sampled_from((1, 2, 3, 3, 5)))
    layer = Conv2D(
        config.batch * draw(st.sampled_from((1, 1, 2, 3))),
        draw(st.integers(5, 9)),
        draw(st.integers(5, 9)),
        config.block_in * draw(st.integers(1, 3)),
        config.block_out * draw(st.sampled_from((1, 2, 4))),
        kernel,
        draw(st.integers(0, 3)),
        draw(st.integers(1, 3)),
        draw(st.sampled_from((2, 5, 8))),
        config,
    )
    axis = draw(st.sampled_from(AXES))
    vthreads = draw(st.sampled_from((1, 2, 4)))
    tiling = Conv2DTiling(
        draw(blocks(layer.out_height, dividing=dividing)),
        draw(blocks(layer.out_width, dividing=dividing)),
        config.block_in * draw(blocks(layer.data_shape[1], dividing=dividing)),
        config.block_out * draw(blocks(layer.kernel_shape[0], dividing=dividing)),
        config.batch * draw(blocks(layer.data_shape[0], dividing=dividing)),
        vthreads,
        axis,
        "error" if dividing else "guard",
    )
    return layer, tiling


@st.composite
def matmul_cases(draw: DrawFn, *, dividing: bool = True) -> tuple[Matmul, MatmulTiling]:
    """A small matrix multiplication and a tiling of it."""
    config = draw(st.sampled_from(CONFIGS))
    layer = Matmul(
        config.batch * draw(st.sampled_from((1, 2, 3, 6))),
        config.block_in * draw(st.sampled_from((1, 2, 4, 6))),
        config.block_out * draw(st.sampled_from((1, 3, 4, 8))),
        draw(st.sampled_from((2, 5, 8))),
        config,
    )
    tiling = MatmulTiling(
        config.batch * draw(blocks(layer.data_shape[0], dividing=dividing)),
        config.block_in * draw(blocks(layer.data_shape[1], dividing=dividing)),
        config.block_out * draw(blocks(layer.weight_shape[0], dividing=dividing)),
        draw(st.sampled_from((1, 2, 3))),
        "error" if dividing else "guard",
    )
    return layer, tiling


@st.composite
def vadd_cases(draw: DrawFn) -> tuple[VectorAdd, int | None]:
    """A vector addition and the channels at a time."""
    config = draw(st.sampled_from(CONFIGS))
    layer = VectorAdd(config.block_out * draw(st.integers(1, 12)), config.batch * draw(st.integers(1, 3)), config)
    block = draw(st.none() | blocks(layer.shape[1], dividing=True))
    return layer, None if block is None else config.block_out * block
