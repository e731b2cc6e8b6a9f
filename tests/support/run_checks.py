"""Compile, run and check a workload: the result, the counters, the stream's safety."""

from __future__ import annotations

from typing import cast

import numpy as np
from hypothesis import assume
from tiling_counters import Counters

import vtac
from vtac.errors import CompileError
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling

REFUSALS = (
    "write a tile again within two micro-ops",
    "does not divide loop",
    "overflows",
    "1 to ",
    "holds for some of its iterations only",
)
"""Parts of the messages of tilings that are refused for good reasons."""


def compile_legal(text: str, schedule: vtac.Schedule) -> Program:
    """The program; skips the hypothesis example when the tiling is refused for a good reason."""
    try:
        return vtac.compile(text, schedule=schedule).stream
    except CompileError as error:
        if not any(part in str(error) for part in REFUSALS):
            raise
        assume(False)
        raise


def scheduled(layer: Conv2D | Matmul, tiling: Conv2DTiling | MatmulTiling) -> vtac.Schedule:
    """The layer's schedule; skips the example when a split is refused."""
    try:
        return layer.schedule(tiling)  # pyright: ignore[reportArgumentType]
    except CompileError as error:
        if not any(part in str(error) for part in REFUSALS):
            raise
        assume(False)
        raise


def run_checked(program: VtaProgram, *arrays: Array) -> Array:
    """The result of a strict run, after proving the stream safe."""
    assert vtac.check(program) == []
    result = program(*arrays)
    return result[0] if isinstance(result, tuple) else result


def check_counters(program: Program, expected: Counters) -> None:
    """Each counter is the expected one; every micro-op in DRAM is loaded once."""
    found = {name: program.stats[name] for name in expected}
    assert found == expected
    assert program.stats["uop_load_nbytes"] == len(program.micro_ops)


def random_int8(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int8]]]:
    """Arrays over all of int8."""
    random = np.random.default_rng(seed)
    return [random.integers(-128, 128, shape).astype(np.int8) for shape in shapes]


def check_conv2d(layer: Conv2D, program: Program) -> None:
    """Run a convolution on random data and compare with numpy."""
    images = (layer.batch, layer.in_channels, layer.height, layer.width)
    filters = (layer.out_channels, layer.in_channels, layer.kernel, layer.kernel)
    data, kernel = random_int8(0, images, filters)
    config = layer.config
    packed = reference.pack_images(data, config.batch, config.block_in)
    weights = reference.pack_images(kernel, config.block_out, config.block_in)
    result = run_checked(program, cast(Array, packed), cast(Array, weights))
    expected = reference.pack_images(reference.conv2d(layer, data, kernel), config.batch, config.block_out)
    assert np.array_equal(result, expected)


def check_matmul(layer: Matmul, program: Program) -> None:
    """Run a matrix multiplication on random data and compare with numpy."""
    data, weight = random_int8(0, (layer.batch, layer.in_features), (layer.out_features, layer.in_features))
    config = layer.config
    packed = reference.pack_rows(data, config.batch, config.block_in)
    weights = reference.pack_rows(weight, config.block_out, config.block_in)
    result = run_checked(program, cast(Array, packed), cast(Array, weights))
    expected = reference.pack_rows(reference.matmul(layer, data, weight), config.batch, config.block_out)
    assert np.array_equal(result, expected)
