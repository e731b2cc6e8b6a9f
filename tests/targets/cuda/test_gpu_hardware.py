"""Architecture records: what they hold, and that they check themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vtac.dialects.gpu_hardware import (
    SHAPES,
    AccumulatorType,
    OperandType,
    Shape,
    TensorCoreOperation,
    gpu_architecture,
    gpu_architectures,
    shape_for_tiles,
)
from vtac.errors import ConfigError


def test_known_architectures_run_from_turing_to_blackwell() -> None:
    names = list(gpu_architectures())
    assert names[0] == "sm_75"
    assert {"sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"} <= set(names)
    assert gpu_architecture("sm_120").compute_capability == (12, 0)
    assert gpu_architecture("sm_90").shared_bytes_per_block == 232_448


def test_turing_lacks_what_came_with_ampere() -> None:
    turing = gpu_architecture("sm_75")
    assert not turing.asynchronous_copy
    assert turing.supports(TensorCoreOperation(16, 16, 16, "f16", "f32"))
    assert not turing.supports(TensorCoreOperation(16, 16, 16, "bf16", "f32"))
    assert gpu_architecture("sm_80").supports(TensorCoreOperation(16, 16, 8, "tf32", "f32"))


@pytest.mark.parametrize(
    ("name", "threads", "registers", "shared", "blocks"),
    [
        ("sm_90", 256, 168, 49_152, 1),
        ("sm_90", 256, 128, 49_152, 2),
        ("sm_90", 128, 168, 49_152, 3),
        ("sm_90", 256, 32, 115_712, 2),
        ("sm_90", 256, 32, 115_713, 1),
        ("sm_90", 128, 16, 0, 16),
        ("sm_75", 256, 64, 32_768, 2),
        ("sm_75", 256, 64, 65_537, 0),
        ("sm_86", 1024, 64, 0, 1),
        ("sm_86", 1025, 16, 0, 0),
        ("sm_86", 1024, 72, 0, 0),
    ],
)
def test_resident_blocks(name: str, threads: int, registers: int, shared: int, blocks: int) -> None:
    assert gpu_architecture(name).resident_blocks(threads, registers, shared) == blocks


@pytest.mark.parametrize(
    ("shape", "operand", "accumulator", "message"),
    [
        ((16, 16, 8), "f16", "f32", "16x16x8 f16: the m x n x k are 16x16x16, 32x8x16, 8x32x16"),
        ((16, 16, 16), "tf32", "f32", "the m x n x k are 16x16x8"),
        ((16, 16, 16), "bf16", "f16", "bf16 accumulates in f32"),
        ((16, 16, 16), "s8", "f32", "s8 accumulates in s32"),
    ],
)
def test_operations_that_cuda_lacks(
    shape: tuple[int, int, int], operand: OperandType, accumulator: AccumulatorType, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        TensorCoreOperation(*shape, operand, accumulator)


@pytest.mark.parametrize(
    ("operand", "of_rows", "shape"),
    [
        ("f16", False, (16, 16, 16)),
        ("bf16", True, (16, 16, 16)),
        ("tf32", False, (16, 16, 8)),
        ("s8", False, (8, 32, 16)),
        ("u8", True, (32, 8, 16)),
    ],
)
def test_shapes_whose_tiles_lie_side_by_side(operand: OperandType, shape: Shape, *, of_rows: bool) -> None:
    assert shape_for_tiles(operand, of_rows=of_rows) == shape


def test_every_shape_is_an_operation_of_some_architecture() -> None:
    known = {(o.operand, (o.m, o.n, o.k)) for record in gpu_architectures().values() for o in record.operations}
    assert known == {(operand, shape) for operand, shapes in SHAPES.items() for shape in shapes}


def test_records_check_themselves() -> None:
    hopper = gpu_architecture("sm_90")
    with pytest.raises(ConfigError, match="the name is sm_ and the compute capability"):
        replace(hopper, name="hopper")
    with pytest.raises(ConfigError, match="exceed the multiprocessor's 233472"):
        replace(hopper, shared_bytes_per_block=233_472)
    with pytest.raises(ConfigError, match="static shared memory exceeds"):
        replace(hopper, static_shared_bytes_per_block=300_000)
    with pytest.raises(ConfigError, match="multiples of the warp size 32"):
        replace(hopper, threads_per_sm=2000)
    with pytest.raises(ConfigError, match="no tensor-core operation"):
        replace(hopper, operations=())
    with pytest.raises(ConfigError, match="blocks_per_sm is -1"):
        replace(hopper, blocks_per_sm=-1)
    with pytest.raises(ConfigError, match="'sm_61' is not known; the known ones are sm_75"):
        gpu_architecture("sm_61")
