"""A target from outside: the package in examples/third_target, found through its entry points alone."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from run_programs import run_program

import vtac
from vtac.compiler import lower
from vtac.evaluate import evaluate
from vtac.targets.registry import target_names

PACKAGE = Path(__file__).resolve().parents[2] / "examples" / "third_target"
PRODUCT = """func.func @product(%a: tensor<{m}x{k}xi32>, %b: tensor<{k}x{n}xi32>) -> tensor<{m}x{n}xi32> {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<{m}x{n}xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<{m}x{n}xi32>) -> tensor<{m}x{n}xi32>
  %c = linalg.matmul ins(%a, %b : tensor<{m}x{k}xi32>, tensor<{k}x{n}xi32>)
                     outs(%start : tensor<{m}x{n}xi32>) -> tensor<{m}x{n}xi32>
  func.return %c : tensor<{m}x{n}xi32>
}}
"""
SMALL = PRODUCT.format(m=4, k=16, n=24)
ASSEMBLY = """product(a: 4x16, b: 16x24, c: 4x24)
  for i1 = 0 to 4
    for i2 = 0 to 3
      zero  v0
      for i3 = 0 to 16
        load  v1, b[(i3 * 24) + (i2 * 8)]
        axpy  v0, a[(i1 * 16) + i3], v1
      store c[(i1 * 24) + (i2 * 8)], v0
"""
Int32 = NDArray[np.int32]


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package on the path, with the metadata that installing it leaves there."""
    settings = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    metadata = tmp_path / "installed" / f"vtac_vec-{settings['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vtac-vec\nVersion: {settings['version']}\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()), ""])
        for group, entries in settings["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "installed"), str(PACKAGE), *sys.path])


def operands(m: int, k: int, n: int) -> tuple[Int32, Int32]:
    rng = np.random.default_rng(m + k + n)
    return rng.integers(-99, 99, (m, k)).astype(np.int32), rng.integers(-99, 99, (k, n)).astype(np.int32)


def succeed(*words: str) -> str:
    outcome = run_program(words, b"", merge=False)
    assert (outcome.status, outcome.stderr) == (0, b"")
    return outcome.stdout.decode()


def scheduled(tmp_path: Path) -> Path:
    """A file of the program and the script that `vtac schedule` prints for it."""
    program, both = tmp_path / "product.mlir", tmp_path / "both.mlir"
    program.write_text(SMALL)
    both.write_text(SMALL + succeed("vtac", "schedule", str(program), "--target", "vec"))
    return both


def test_vtac_opt_lowers_and_prints(tmp_path: Path) -> None:
    assert succeed("vtac-opt", str(scheduled(tmp_path)), "-p", "lower-to-vec", "-t", "vec-asm") == ASSEMBLY


def test_every_level_is_text_and_means_the_same(tmp_path: Path) -> None:
    a, b = operands(4, 16, 24)
    source = scheduled(tmp_path)
    for phase in ("input", "payload", "scheduled", "blocked", "vec"):
        text = succeed("vtac-opt", str(source), "-p", f"lower-to-vec{{phase={phase}}}")
        assert np.array_equal(evaluate(vtac.parse(text), a, b), a @ b), phase
    assert np.array_equal(evaluate(lower(SMALL, "vec"), a, b), a @ b)


@pytest.mark.parametrize(("m", "k", "n"), [(4, 16, 24), (1, 1, 8), (5, 3, 32), (7, 11, 40)])
def test_compiled_products_equal_numpy(m: int, k: int, n: int, tmp_path: Path) -> None:
    program = vtac.compile(PRODUCT.format(m=m, k=k, n=n), target="vec")
    a, b = operands(m, k, n)
    assert np.array_equal(program(a, b), a @ b)
    program.save(tmp_path / "saved")
    loaded = vtac.load_program(tmp_path / "saved")
    assert [(p.name, p.shape) for p in (*loaded.arguments, *loaded.results)] == [
        ("a", (m, k)),
        ("b", (k, n)),
        ("c", (m, n)),
    ]
    assert np.array_equal(loaded(a, b), a @ b)


def test_the_command_line_runs_it(tmp_path: Path) -> None:
    source, saved = str(scheduled(tmp_path)), str(tmp_path / "saved")
    once = succeed("vtac", "run", source, "--target", "vec", "--seed", "3", "--config", "2")
    assert once.startswith("c  int32 4x24  sha256 ")
    assert succeed("vtac", "compile", source, "--target", "vec", "-o", saved).splitlines()[1:] == [
        "  argument  a                int32 4 x 16",
        "  argument  b                int32 16 x 24",
        "  result    c                int32 4 x 24",
    ]
    assert succeed("vtac", "run", saved, "--seed", "3", "--dump", str(tmp_path / "again")) == once
    for command in ("check", "disasm"):
        refused = run_program(["vtac", command, saved], b"", merge=False)
        assert refused.status == 1
        assert b"it has no VTA instruction stream" in refused.stderr
    for options, message in (
        (("--stats", "x.json"), b"--stats is for VTA programs"),
        (("--arch", "sm_90"), b"--arch is for CUDA programs"),
        (("--config", "none"), b"the number of vector registers is required"),
    ):
        outcome = run_program(["vtac", "run", source, "--target", "vec", *options], b"", merge=False)
        assert outcome.status == 1
        assert message in outcome.stderr


def test_hardware_is_settled_as_for_every_target() -> None:
    from vtac_vec.machine import VecMachine

    module = lower(SMALL, "vec", VecMachine(2))
    assert str(module.attributes["vec.machine"]) == "2 : i64"
    for attempt, text in (
        (
            lambda: vtac.compile(module, "vec", VecMachine(4)),
            "the module's vec.machine has 2 registers, the machine gi",
        ),
        (lambda: vtac.compile(SMALL, "vec", vtac.VTAConfig()), "config is of type VTAConfig with target 'vec'"),
        (lambda: vtac.compile(SMALL, "vec", host=False), "target 'vec' has no option 'host'; it has none"),
        (lambda: VecMachine(1), "a vector machine with 1 registers"),
    ):
        with pytest.raises(vtac.VtacError, match=text):
            attempt()


def test_a_directive_of_its_own() -> None:
    from vtac_vec.dialect import OnLanesOp

    schedule = vtac.Schedule(SMALL)
    loops = schedule.get_loops(schedule.get_block("c"))
    with pytest.raises(vtac.ScheduleError, match=r"loop 'r2' .* is no instruction \(vec.zero: expected 8 iterations"):
        schedule.direct(OnLanesOp, loop=loops[2])
    assert "on_lanes" not in str(schedule)


def test_refusals() -> None:
    schedule = vtac.Schedule(SMALL)
    product = schedule.get_block("c")
    with pytest.raises(vtac.ScheduleError, match=r"loop 'r2' .* is not vec.axpy: expected 8 iterations, found 16"):
        schedule.tensorize(schedule.get_loops(product)[2], "vec.axpy")
    with pytest.raises(vtac.ScheduleError, match=r"no intrinsic 'vec.fma'; the intrinsics are vta.gemm, .*, vec.axpy"):
        schedule.tensorize(schedule.get_loops(product)[2], "vec.fma")
    with pytest.raises(vtac.ScheduleError, match=r"unknown scope 'vec.far'; the scopes are global, .*, vec.local"):
        schedule.cache_read(product, 0, "vec.far")
    with pytest.raises(vtac.CompileError, match="block 'c_init' is mapped to no instruction"):
        vtac.compile(SMALL, "vec", schedule=schedule)
    with pytest.raises(vtac.ScheduleError, match="one matrix product is required"):
        vtac.compile("func.func @f() {\n  func.return\n}\n", "vec")


def test_it_is_known_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert target_names() == ("vta", "cuda", "vec")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if not entry.endswith("/installed")])
    assert target_names() == ("vta", "cuda")
    with pytest.raises(vtac.CompileError, match="unknown target 'vec'; the targets are vta, cuda"):
        vtac.compile(SMALL, "vec")


def test_its_attributes_are_declared_as_vtac_s_own_are() -> None:
    """Known to the verifier once the machine has been asked for; nobody's notes."""
    lowered = lower(SMALL, "vec")
    lowered.attributes["vec.machne"] = lowered.attributes["vec.machine"]
    with pytest.raises(vtac.VtacError, match=r"no dialect declares vec\.machne there; the nearest is vec\.machine"):
        vtac.compile(str(lowered) + "\n", target="vec")
