"""What a process loads for what it is asked: each module takes time, which every command would pay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vtac
from vtac.workloads.vadd import VectorAdd

LAYER = VectorAdd()
TEXT = f"{LAYER.text()}\n{LAYER.schedule()}"
PLAIN = """
func.func @double(%x: tensor<1x32xi8>) -> tensor<1x32xi8> {
  %empty = tensor.empty() : tensor<1x32xi8>
  %y = linalg.add ins(%x, %x : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) -> tensor<1x32xi8>
  func.return %y : tensor<1x32xi8>
}
"""
COMMAND = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from vtac.tools.{tool} import main
main(sys.argv[1:])
"""
SEARCH = (
    "vtac.targets.vta.schedules",
    "vtac.targets.vta.choosing",
    "vtac.targets.vta.linking",
    "vtac.targets.vta.proof",
)
INTERPRETER = ("vtac.evaluate", "vtac.targets.vta.programs.host_program")
OF_OTHERS = (
    "vtac.analysis.values.value_facts",
    "vtac.dialects.mma.layouts",
    "vtac.dialects.packing.ops",
    "vtac.dialects.packing.folding",
    "vtac.dialects.wmma.attention",
)


def _loaded(program: str, *arguments: str, cache: str = "off") -> set[str]:
    """The modules that a process has loaded at its end, by what it prints of them on stderr."""
    environment = os.environ | {"VTAC_CACHE_DIR": cache}
    command = [sys.executable, "-c", program, *arguments]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return set(ran.stderr.splitlines()[-1].split())


def _in(loaded: set[str], *names: str) -> set[str]:
    return {module for module in loaded for name in names if module == name or module.startswith(f"{name}.")}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("saved")
    vtac.compile(TEXT).save(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("tool", "option", "others"),
    [
        ("vtac", "--help", ("numpy", "xdsl", "importlib.metadata", "vtac.dialects", "vtac.targets")),
        ("vtac_opt", "--version", ("numpy", "xdsl", "vtac.dialects", "vtac.targets")),
        ("vtac_opt", "--help", ("numpy", "vtac.rewriting", "vtac.dialects.schedule", "vtac.pipelines")),
    ],
)
def test_what_tools_say_of_themselves_takes_little(tool: str, option: str, others: tuple[str, ...]) -> None:
    loaded = _loaded(COMMAND.format(tool=tool), option)
    assert "vtac.tools.entry" in loaded
    assert not _in(loaded, *others)


@pytest.mark.parametrize("command", ["run", "stats", "check", "disasm"])
def test_a_saved_stream_is_worked_on_without_the_compiler(command: str, saved: str) -> None:
    loaded = _loaded(COMMAND.format(tool="vtac"), command, saved)
    assert "vtac.targets.vta.isa" in loaded
    assert not _in(loaded, "xdsl", "vtac.passes", "vtac.pipelines", *INTERPRETER)


def test_a_saved_stream_is_loaded_without_the_compiler(saved: str) -> None:
    loaded = _loaded("import sys, vtac; vtac.load_program(sys.argv[1]); print(*sys.modules, file=sys.stderr)", saved)
    assert "vtac.targets.vta.programs.program" in loaded
    assert not _in(loaded, "xdsl", "vtac.passes", "vtac.compiler", *SEARCH, *INTERPRETER)


def test_a_pass_loads_no_other_and_no_dialect_that_the_text_lacks(tmp_path: Path) -> None:
    source = tmp_path / "vadd.mlir"
    source.write_text(LAYER.text(), encoding="utf-8")
    loaded = _loaded(COMMAND.format(tool="vtac_opt"), "-p", "convert-linalg-to-schedule", str(source))
    assert "vtac.passes.linalg.convert_linalg_to_schedule" in loaded
    others = ("numpy", "xdsl.dialects.irdl", "xdsl.dialects.gpu", "vtac.passes.vta.vta_place_buffers")
    assert not _in(loaded, *others, *SEARCH, *INTERPRETER, *OF_OTHERS)


def test_a_program_with_a_schedule_loads_no_search_and_nothing_of_networks(tmp_path: Path) -> None:
    source = tmp_path / "vadd.mlir"
    source.write_text(TEXT, encoding="utf-8")
    loaded = _loaded(COMMAND.format(tool="vtac"), "compile", str(source), "-o", str(tmp_path / "out"))
    assert "vtac.targets.vta.scheduled" in loaded
    assert not _in(loaded, *SEARCH, *INTERPRETER, *OF_OTHERS)


def test_a_network_in_the_cache_loads_no_search(tmp_path: Path) -> None:
    source = tmp_path / "plain.mlir"
    source.write_text(PLAIN, encoding="utf-8")
    compile_it = "import sys, vtac; print(vtac.compile(sys.argv[1])); print(*sys.modules, file=sys.stderr)"
    first, second = (_loaded(compile_it, str(source), cache=str(tmp_path / "cache")) for _ in range(2))
    assert _in(first, *SEARCH)
    assert "vtac.targets.vta.programs.saved_program" in second
    assert not _in(second, *SEARCH, "vtac.targets.vta.plain_pipeline")
