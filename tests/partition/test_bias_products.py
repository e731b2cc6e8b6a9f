"""Biases as products of one input tile with weights: the same numbers, up to what the weights reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.dialects.hardware import VTAConfig
from vtac.partition.bias_products import MOST, bias_product, is_cheaper


def hardware(batch: int = 0, block: int = 4) -> VTAConfig:
    sizes = {"INP": batch + block + 10, "WGT": 2 * block + 8, "ACC": batch + block + 12, "UOP": 12}
    buffers = {f"LOG_{name}_BUFF_SIZE": size for name, size in sizes.items()}
    return VTAConfig.from_fields({**VTAConfig().to_fields(), **buffers, "LOG_BATCH": batch, "LOG_BLOCK": block})


def reach(config: VTAConfig) -> int:
    """The largest bias of either sign."""
    return MOST * MOST * (config.block_in - 1) + MOST // 2


@settings(max_examples=60)
@given(
    st.sampled_from([(0, 4), (1, 4), (2, 3), (0, 5), (1, 1)]),
    st.lists(st.floats(-1, 1), min_size=1, max_size=6),
)
def test_the_product_is_the_bias(shape: tuple[int, int], shares: Sequence[float]) -> None:
    config = hardware(*shape)
    numbers = np.array([[round(share * reach(config))] for share in shares])
    bias = np.broadcast_to(numbers[:, None, :], (len(shares), config.batch, config.block_out)).astype(np.int32)
    found = bias_product(bias, config)
    assert found is not None
    sums = np.einsum("bk,fok->fbo", found.inputs.astype(np.int64), found.weights.astype(np.int64))
    np.testing.assert_array_equal(sums, bias)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("block", [1, 3, 4, 5])
def test_beyond_reach_there_is_none(block: int, sign: int) -> None:
    config = hardware(block=block)
    bias = np.zeros((1, config.batch, config.block_out), np.int32)
    bias[..., -1] = sign * reach(config)
    assert bias_product(bias, config) is not None
    bias[..., -1] += sign
    assert bias_product(bias, config) is None


def test_rows_that_differ_have_none() -> None:
    config = hardware(batch=1)
    assert bias_product(np.array([[[1] * 16, [2] * 16]], np.int32), config) is None


def test_one_lane_has_none() -> None:
    assert bias_product(np.zeros((1, 1, 1), np.int32), hardware(block=0)) is None


@pytest.mark.parametrize(("outputs", "tiles", "is_taken"), [(32, 1, False), (33, 1, True), (65, 2, True)])
def test_weights_are_used_longer_than_they_load(outputs: int, tiles: int, is_taken: bool) -> None:
    """A weight tile of 256 bytes takes 32 cycles."""
    assert is_cheaper(outputs, tiles, hardware()) is is_taken
