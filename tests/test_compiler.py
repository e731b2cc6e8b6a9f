"""vtac.parse and vtac.compile: what they leave alone, what they take, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from workload_cases import BATCH_4, DEFAULT

import vtac
from vtac.errors import CompileError, ConfigError, VtacError
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

LAYER = Matmul(1, 64, 64)
TILING = MatmulTiling(1, 32, 32)
EMPTY = "func.func @{name}() {{\n  func.return\n}}\n"
BATCH_4_MODULE = """builtin.module attributes {vta.config = {LOG_BATCH = 2 : i64, LOG_BLOCK = 3 : i64,
  LOG_INP_BUFF_SIZE = 16 : i64, LOG_WGT_BUFF_SIZE = 16 : i64, LOG_ACC_BUFF_SIZE = 18 : i64}} {
"""


def compiled(layer: Conv2D | Matmul, tiling: Conv2DTiling | MatmulTiling) -> Callable[[], object]:
    return lambda: vtac.compile(layer.text(), schedule=layer.schedule(tiling))  # pyright: ignore[reportArgumentType]


REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "overflow, with threads": (
        compiled(Conv2D(4, config=BATCH_4), Conv2DTiling()),
        "<string>:2:1: function 'conv2d' overflows ACC: 3,136 of 2,048 elements (401,408 of 262,144 bytes, 128 each) "
        "are needed:\n  'res_conv': 3,136 elements, 401,408 bytes (2 x 1,568: one copy per virtual thread of loop "
        "'i1_outer_inner'), from <string>:11:15\nchoose smaller blocks or fewer virtual threads, or a configuration "
        "with a larger LOG_ACC_BUFF_SIZE",
    ),
    "overflow of inputs": (
        compiled(Conv2D(), Conv2DTiling(14, 14, 256, 256, vthreads=1)),
        "overflows INP: 4,096 of 2,048 elements (65,536 of 32,768 bytes, 16 each) are needed:\n  'data_buf': 4,096 "
        "elements, 65,536 bytes, from <string>:4:15\n",
    ),
    "guard over threads": (
        compiled(Matmul(1, 64, 96), MatmulTiling(1, 32, 64, 2, "guard")),
        "<string>:6:15: loop 'i1_outer_inner' is bound to cthread, but a guard of block 'res_gemm_init' holds for some "
        "of its iterations only: split by a factor that divides",
    ),
    "no schedule": (
        lambda: vtac.compile(LAYER.text(), schedule='schedule.script @matmul {\n  %b = schedule.get_block "res"\n}\n'),
        "<string>:6:15: block 'res_gemm_init' is mapped to no unit of the VTA: it is the start of the sums of block "
        "'res_gemm', which multiplies and adds; give its tile to the GEMM unit: cache_read(block, 0, 'vta.inp'), "
        "cache_read(block, 1, 'vta.wgt'), cache_write(block, 0, 'vta.acc'), then tensorize(loop, 'vta.gemm')",
    ),
    "unknown target": (
        lambda: vtac.compile(LAYER.text(), target="fpga"),  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownLambdaType]
        "unknown target 'fpga'; the targets are vta, cuda",
    ),
    "two functions": (
        lambda: vtac.compile(EMPTY.format(name="a") + EMPTY.format(name="b")),
        "a program is one function; the module has 2 (a, b)",
    ),
    "nothing to do": (
        lambda: vtac.compile(EMPTY.format(name="a")),
        "<string>:1:1: function 'a' gives the VTA nothing to do",
    ),
    "syntax error": (lambda: vtac.compile("func.func @a( {\n}\n"), "<string>:1:15: Expected argument or type"),
    "missing file": (
        lambda: vtac.compile("/nonexistent.mlir"),
        "cannot read '/nonexistent.mlir': No such file or directory",
    ),
    "no script": (
        lambda: vtac.compile(LAYER.text(), schedule=EMPTY.format(name="a")),
        "the schedule holds no schedule.script",
    ),
    "script for another function": (
        lambda: vtac.compile(LAYER.text(), schedule='schedule.script @nobody {\n  %b = schedule.get_block "a"\n}\n'),
        "no function 'nobody' to schedule; functions here: matmul",
    ),
    "configuration contradicts": (
        lambda: vtac.compile(BATCH_4_MODULE + "}\n", config=DEFAULT),
        "<string>:1:1: the module's vta.config has LOG_BATCH = 2, the configuration given 0: drop one of the two",
    ),
    "tile of another configuration": (
        lambda: vtac.compile(LAYER.text(), config=BATCH_4, schedule=LAYER.schedule(TILING)),
        "the schedule was made for a configuration that has LOG_BATCH = 0, the one compiled for 2: give Schedule and "
        "compile the same one",
    ),
    "tile of another configuration, without a schedule": (
        lambda: vtac.compile(LAYER.text(), config=BATCH_4),
        "<string>:6:15: function 'matmul' is packed into tiles of 1x16 (weights 16x16), the configuration's are 4x8 "
        "(weights 8x8): compile it for LOG_BATCH = 0 instead of 2 and LOG_BLOCK = 4 instead of 3, or pack the program "
        "for this configuration",
    ),
    "images of another configuration": (
        lambda: vtac.compile(Conv2D().text(), config=replace(DEFAULT, log_batch=1)),
        "function 'conv2d' is packed into tiles of 1x16 (weights 16x16), the configuration's are 2x16 (weights 16x16): "
        "compile it for LOG_BATCH = 0 instead of 1, or pack",
    ),
    "configuration with a float": (
        lambda: vtac.compile("builtin.module attributes {vta.config = {LOG_BATCH = 2.0 : f32}} {\n}\n"),
        "vta.config is {LOG_BATCH = 2.000000e+00 : f32}; a dictionary with the fields of vta_config.json, integers and "
        "strings, is required",
    ),
    "configuration is no dictionary": (
        lambda: vtac.compile("builtin.module attributes {vta.config = 3 : i64} {\n}\n"),
        "vta.config is 3 : i64; a dictionary with the fields of vta_config.json, integers and strings, is required",
    ),
    "unknown field": (
        lambda: vtac.compile("builtin.module attributes {vta.config = {LOG_BATH = 2 : i64}} {\n}\n"),
        "vta.config: unknown field LOG_BATH; the fields are TARGET, HW_VER, LOG_INP_WIDTH",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    attempt, text = REFUSALS[name]
    with pytest.raises(VtacError) as caught:
        attempt()
    assert text in str(caught.value)


def test_location_stands_apart() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(EMPTY.format(name="a"))
    assert caught.value.location == "<string>:1:1"
    assert caught.value.message == str(caught.value)


def test_module_stays_unchanged() -> None:
    module = vtac.parse(f"{LAYER.text()}\n{LAYER.schedule(TILING)}")
    before = str(module)
    vtac.compile(module)
    assert str(module) == before


def test_schedule_in_every_form(tmp_path: Path) -> None:
    schedule = LAYER.schedule(TILING)
    file = tmp_path / "schedule.mlir"
    file.write_text(str(schedule))
    forms = [schedule, str(schedule), file, str(file), vtac.parse(str(schedule))]
    streams = {vtac.compile(LAYER.text(), schedule=form).stream.instructions for form in forms}
    streams.add(vtac.compile(f"{LAYER.text()}\n{schedule}").stream.instructions)
    assert len(streams) == 1


def test_schedule_given_replaces_the_modules_own() -> None:
    own = f"{LAYER.text()}\n{LAYER.schedule(TILING)}"
    other = LAYER.schedule(MatmulTiling(1, 64, 16))
    expected = vtac.compile(LAYER.text(), schedule=other).stream.instructions
    assert vtac.compile(own, schedule=other).stream.instructions == expected


def test_configuration_comes_from_module_schedule_or_argument() -> None:
    layer = VectorAdd(64, 4, BATCH_4)
    text, schedule = layer.text(), layer.schedule()
    assert vtac.compile(text, schedule=schedule).config == BATCH_4
    assert vtac.compile(text, config=BATCH_4, schedule=str(schedule)).config == BATCH_4
    lines = text.splitlines(keepends=True)
    module = f"{lines[0]}{BATCH_4_MODULE}{''.join(lines[1:])}}}\n"
    assert vtac.compile(module, schedule=str(schedule)).config == BATCH_4
    assert vtac.compile(module, config=BATCH_4, schedule=str(schedule)).config == BATCH_4


def test_configurations_side_by_side() -> None:
    for config in (DEFAULT, BATCH_4, DEFAULT):
        layer = VectorAdd(64, config.batch, config)
        program = vtac.compile(layer.text(), schedule=layer.schedule())
        arrays = [np.full(layer.shape, value, np.int32) for value in (3, 4)]
        assert np.array_equal(program(*arrays), np.full(layer.shape, 7, np.int8))


def test_bad_configuration_file(tmp_path: Path) -> None:
    file = tmp_path / "vta_config.json"
    file.write_text('{"LOG_BATCH": ')
    with pytest.raises(ConfigError, match=r"vta_config\.json:1:15: not JSON"):
        vtac.VTAConfig.from_json(file)


@pytest.mark.parametrize("target", ["vta", "cuda"])
def test_functions_of_several_blocks_are_refused(target: str) -> None:
    text = """func.func @jump(%a: i32) -> i32 {
  cf.br ^exit
^exit:
  func.return %a : i32
}
"""
    with pytest.raises(CompileError, match=r"<string>:1:1: function 'jump' has 2 blocks with branches between them"):
        vtac.compile(text, target)


@pytest.mark.parametrize(
    ("target", "said"),
    [("cuda", "a GpuArchitecture is required, or its name, as in 'sm_90'"), ("vta", "a VTAConfig is required, or the")],
)
def test_an_unknown_option_is_told_what_says_the_hardware(target: str, said: str) -> None:
    with pytest.raises(CompileError, match=f"has no option 'arch'; .*; config says what hardware it is for: {said}"):
        vtac.compile(VectorAdd().text(), target, arch="sm_90")
