"""Forty mistakes that people make, each as a call that is refused. The documentation's table is made from them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import vtac
from mistakes.programs import FLOATS, HALVES, PRODUCT, TILES, TWO, one_line_body
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.tools.commands.arrays import read_arrays

Mistake = Callable[[], object]
_ROOT = Path(__file__).parents[2]


def _tiles() -> tuple[Schedule, BlockRef, tuple[LoopRef, ...]]:
    schedule = vtac.Schedule(TILES)
    block = schedule.get_block("c")
    return schedule, block, schedule.get_loops(block)


def _wrong_shape() -> object:
    return vtac.compile(PRODUCT)(np.zeros((3, 63), np.int8), np.zeros((64, 32), np.int8))


def _float_array() -> object:
    floats = np.zeros((3, 64), np.float32)
    return vtac.compile(PRODUCT)(floats, np.zeros((64, 32), np.int8))  # pyright: ignore[reportArgumentType]


def _array_missing() -> object:
    return vtac.compile(PRODUCT)(np.zeros((3, 64), np.int8))


def _wrong_block() -> object:
    return vtac.Schedule(TILES).get_block("gemm")


def _wrong_loop() -> object:
    schedule, block, _ = _tiles()
    return schedule.get_loop(block, "q")


def _no_divisor() -> object:
    schedule, _, loops = _tiles()
    return schedule.split(loops[5], factor=5)


def _factor_of_nothing() -> object:
    schedule, _, loops = _tiles()
    return schedule.split(loops[5], factor=32)


def _reorder_across_init() -> object:
    schedule, block, loops = _tiles()
    schedule.decompose_reduction(block, loops[4])
    return schedule.reorder(loops[4], loops[1])


def _overflow() -> object:
    text = TILES.replace("4x4x16x16", "400x40x16x16").replace("x4x1x16xi8", "x40x1x16xi8")
    text = text.replace("x4x1x16xi32", "x400x1x16xi32")
    schedule = vtac.Schedule(text)
    block = schedule.get_block("c")
    copies = [schedule.cache_read(block, 0, "vta.inp"), schedule.cache_read(block, 1, "vta.wgt")]
    copies.append(schedule.cache_write(block, 0, "vta.acc"))
    for copy in copies:
        schedule.dma_copy(schedule.get_loops(copy)[0])
    n, m, x, y, k, r = schedule.get_loops(block)
    schedule.reorder(n, m, k, x, y, r)
    schedule.tensorize(x, "vta.gemm")
    return vtac.compile(text, schedule=schedule)


def _float_dma() -> object:
    schedule = vtac.Schedule(HALVES)
    return schedule.dma_copy(schedule.get_loops(schedule.get_block("c"))[0])


def _no_tensorize() -> object:
    schedule, block, _ = _tiles()
    copies = [schedule.cache_read(block, 0, "vta.inp"), schedule.cache_read(block, 1, "vta.wgt")]
    for copy in (*copies, schedule.cache_write(block, 0, "vta.acc")):
        schedule.dma_copy(schedule.get_loops(copy)[0])
    return vtac.compile(TILES, schedule=schedule)


def _no_dma() -> object:
    schedule, block, _ = _tiles()
    schedule.cache_read(block, 0, "vta.inp")
    return vtac.compile(TILES, schedule=schedule)


def _no_scopes() -> object:
    schedule, _, _ = _tiles()
    return vtac.compile(TILES, schedule=schedule)


def _intrinsic_misspelt() -> object:
    schedule, _, loops = _tiles()
    return schedule.tensorize(loops[2], "vta.gem")  # pyright: ignore[reportArgumentType]


def _tensorize_without_scopes() -> object:
    schedule, _, loops = _tiles()
    schedule.reorder(loops[0], loops[1], loops[4], loops[2], loops[3], loops[5])
    return schedule.tensorize(loops[2], "vta.gemm")


def _tensorize_around_others() -> object:
    schedule, block, loops = _tiles()
    schedule.decompose_reduction(block, loops[4])
    return schedule.tensorize(loops[1], "vta.gemm")


def _scope_misspelt() -> object:
    schedule, block, _ = _tiles()
    return schedule.cache_read(block, 0, "vta.input")  # pyright: ignore[reportArgumentType]


def _scopes_swapped() -> object:
    schedule, block, _ = _tiles()
    schedule.cache_read(block, 0, "vta.wgt")
    schedule.cache_read(block, 1, "vta.inp")
    schedule.cache_write(block, 0, "vta.acc")
    n, m, x, y, k, r = schedule.get_loops(block)
    schedule.reorder(n, m, k, x, y, r)
    return schedule.tensorize(x, "vta.gemm")


def _thread_index() -> object:
    schedule, _, loops = _tiles()
    schedule.bind(loops[1], "threadIdx.x")
    return vtac.compile(TILES, schedule=schedule)


def _vthread() -> object:
    schedule, _, loops = _tiles()
    return schedule.bind(loops[1], "vthread")  # pyright: ignore[reportArgumentType]


def _reduction_bound() -> object:
    schedule, _, loops = _tiles()
    return schedule.bind(loops[4], "cthread")


def _dma_between_memories() -> object:
    schedule, block, _ = _tiles()
    copy = schedule.cache_write(block, 0, "shared")
    return schedule.dma_copy(schedule.get_loops(copy)[0])


def _not_neighbours() -> object:
    schedule, _, loops = _tiles()
    return schedule.fuse(loops[0], loops[3])


def _foreign_handle() -> object:
    schedule, _, _ = _tiles()
    _, _, loops = _tiles()
    return schedule.split(loops[1], factor=2)


def _stale_handle() -> object:
    schedule, _, loops = _tiles()
    schedule.split(loops[1], factor=2)
    return schedule.split(loops[1], factor=2)


def _other_configuration() -> object:
    schedule = vtac.Schedule(TILES, config=vtac.VTAConfig())
    return vtac.compile(TILES, config=vtac.VTAConfig(log_batch=1), schedule=schedule)


def _packed_for_another() -> object:
    schedule = vtac.Schedule(TILES, config=vtac.VTAConfig(log_batch=1))
    block = schedule.get_block("c")
    n, m, x, y, k, r = schedule.get_loops(block)
    schedule.reorder(n, m, k, x, y, r)
    return schedule.tensorize(x, "vta.gemm")


def _archive() -> object:
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "in.npz", data=np.zeros(3, np.int8))
        program = vtac.compile(PRODUCT)
        try:
            return read_arrays(str(Path(folder) / "in.npz"), program.arguments)
        except vtac.VtacError as error:
            raise vtac.VtacError(str(error).replace(f"{folder}/", "")) from None


MISTAKES: Mapping[str, Mistake] = {
    "an array of another shape": _wrong_shape,
    "floats where the program takes i8": _float_array,
    "an array too few": _array_missing,
    "an archive with other names": _archive,
    "a block by a name that is none": _wrong_block,
    "a loop by a name that is none": _wrong_loop,
    "a split that does not divide": _no_divisor,
    "a split by more than there is": _factor_of_nothing,
    "a reorder across the start of a sum": _reorder_across_init,
    "more on chip than fits": _overflow,
    "floating point given to the VTA's DMA": _float_dma,
    "a forgotten `tensorize`": _no_tensorize,
    "a forgotten `dma_copy`": _no_dma,
    "a schedule without scopes": _no_scopes,
    "an intrinsic misspelt": _intrinsic_misspelt,
    "`tensorize` before the operands are on chip": _tensorize_without_scopes,
    "`tensorize` of a loop around other statements": _tensorize_around_others,
    "a scope misspelt": _scope_misspelt,
    "data and weights in each other's scope": _scopes_swapped,
    "a CUDA index in a program for the VTA": _thread_index,
    "TVM's name for virtual threads": _vthread,
    "a reduction bound to a thread": _reduction_bound,
    "DMA between other memories": _dma_between_memories,
    "a fuse of loops that are no neighbours": _not_neighbours,
    "a handle of another schedule": _foreign_handle,
    "a handle of a loop that was split": _stale_handle,
    "a schedule for another configuration": _other_configuration,
    "tiles of another configuration": _packed_for_another,
    "a CUDA script compiled for the VTA": lambda: vtac.compile(
        (_ROOT / "examples" / "wmma_conv2d.mlir").read_text(encoding="utf-8")
    ),
    "a configuration that cannot be encoded": lambda: vtac.VTAConfig(log_inp_buff_size=17, log_acc_buff_size=20),
    "an architecture that is none": lambda: vtac.compile(PRODUCT, target="cuda", config="sm_10"),
    "a target that is none": lambda: vtac.compile(PRODUCT, target="tpu"),
    "a dimension that is open": lambda: vtac.compile(PRODUCT.replace("3x64", "?x64")),
    "unsigned element types": lambda: vtac.compile(
        "func.func @f(%a: tensor<4xui8>) -> tensor<4xui8> {\n  func.return %a : tensor<4xui8>\n}\n"
    ),
    "an operation misspelt": lambda: vtac.parse(PRODUCT.replace("linalg.matmul", "linalg.matmull")),
    "an operation of MLIR that is not read": lambda: vtac.parse(
        one_line_body("linalg.softmax dimension(0) ins(%a : tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>")
    ),
    "a value that is not defined": lambda: vtac.parse(PRODUCT.replace("outs(%i", "outs(%j")),
    "shapes that do not match": lambda: vtac.parse(
        PRODUCT.replace("%b: tensor<64x32", "%b: tensor<60x32").replace(
            "tensor<3x64xi8>, tensor<64x32xi8>", "tensor<3x64xi8>, tensor<60x32xi8>"
        )
    ),
    "a program in one line": lambda: vtac.compile("func.func @f() { return }"),
    "several functions to schedule": lambda: vtac.Schedule(TWO),
    "a name without quotes in a script": lambda: vtac.compile(
        TILES, schedule="schedule.script @mm {\n  %b = schedule.get_block c\n}\n"
    ),
    "a float model that must not run on the host": lambda: vtac.compile(FLOATS, host=False),
}
"""What was done, by what a reader would call it."""


def told(mistake: Mistake) -> str:
    """The message that a mistake gets. Raises `AssertionError` where it gets none."""
    try:
        mistake()
    except vtac.VtacError as error:
        return str(error)
    raise AssertionError("nothing was refused")
