"""Measured tilings go before estimated ones; what a file must not say is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from contraction_programs import matmul

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, ScheduleError
from vtac.targets.cuda.gpu.measuring import Measurement
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.measured import read_measurements
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.tools.vtac import main

TEXT = matmul(512, 256, 128).text()
ARCHITECTURE = gpu_architecture("sm_90")
SLOW = ProductTiling((16, 16, 16), 1, 1, 1, 1, 2, 2)


def line(
    tiling: ProductTiling, milliseconds: float, device: str = "H200", *, error: float = 0.0, cold: bool = False
) -> str:
    """A made-up measurement of a tiling, as the benchmark writes it."""
    size, _ = product_tiling(vtac.parse(TEXT), ARCHITECTURE)
    made = Measurement(
        "product", "place", device, "sm_90", "none", "float32", cold, 1, (milliseconds,), error, 0.5,
        product=asdict(size), tiling=asdict(tiling),
    )  # fmt: skip
    return made.to_json()


def written(folder: Path, *lines: str) -> Path:
    path = folder / "measured.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_fastest_that_was_measured_is_taken(tmp_path: Path) -> None:
    _, best = product_tiling(vtac.parse(TEXT), ARCHITECTURE)
    assert best != SLOW
    path = written(tmp_path, line(best, 3.0), line(SLOW, 2.0), line(best, 1.0, error=9.0), line(best, 0.5, cold=True))
    program = vtac.compile(TEXT, "cuda", "sm_90", measurements=path)
    assert "16 x 16 in steps of 32, 2 stages" in str(program.text)
    assert program.text != vtac.compile(TEXT, "cuda", "sm_90").text
    assert program.text != vtac.compile(TEXT, "cuda", "sm_80", measurements=path).text


def test_commands_take_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, source, saved = written(tmp_path, line(SLOW, 1.0)), tmp_path / "product.mlir", tmp_path / "saved"
    source.write_text(TEXT)
    given = ["--target", "cuda", "--arch", "sm_90", "--measurements", str(path)]
    assert main(["compile", str(source), *given, "-o", str(saved)]) == 0
    program = vtac.compile(TEXT, "cuda", "sm_90", measurements=path)
    assert (saved / "kernel.cu").read_text() == program.text.replace("<string>", str(source))
    capsys.readouterr()
    refused = {
        ("run", str(saved), *given[-2:]): "is a saved program: --arch, --schedule, --measurements and --check are for",
        ("export", str(saved), *given[:2], "-o", "x", *given[-2:]): "--arch, --schedule and --measurements are for",
        ("run", str(source), *given[-2:]): "--measurements is for CUDA programs",
        ("run", str(source), *given, "--print-ir", "payload"): "the IR that is shown is of estimated tilings",
        ("run", str(source), *given[:-1], "none.jsonl"): "cannot access 'none.jsonl': No such file",
    }
    for arguments, message in refused.items():
        assert main(list(arguments)) == 1
        assert message in capsys.readouterr().err


def test_products_that_nobody_measured_are_estimated(tmp_path: Path) -> None:
    path = written(tmp_path, line(SLOW, 1.0))
    other = matmul(512, 256, 64).text()
    assert vtac.compile(other, "cuda", "sm_90", measurements=path).text == vtac.compile(other, "cuda", "sm_90").text


def test_two_devices_are_not_mixed(tmp_path: Path) -> None:
    path = written(tmp_path, line(SLOW, 1.0), line(SLOW, 2.0, "H100"))
    with pytest.raises(ScheduleError, match=r"measurements of a product on sm_90 are of 2 devices, H100 and H200"):
        vtac.compile(TEXT, "cuda", "sm_90", measurements=path)


def test_a_tiling_beyond_the_space(tmp_path: Path) -> None:
    huge = ProductTiling((16, 16, 16), 4, 4, 4, 2, 4, 9)
    measured = read_measurements(written(tmp_path, line(huge, 1.0)))
    with pytest.raises(ScheduleError, match="has no room in a block of sm_90: measure again"):
        default_schedule(vtac.parse(TEXT), ARCHITECTURE, measured=measured)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("no JSON", "a line of measurements is no JSON object"),
        ({"median": -1}, "'median' of a measurement is -1; milliseconds are required"),
        ({"tiling": {"fragment": [16, 16, 16]}}, "numbers for fragment, row_tiles, "),
        ({"product": {"sizes": "all"}}, "numbers for sizes, fragment, "),
    ],
)
def test_lines_that_are_no_measurements(change: str | dict[str, object], message: str, tmp_path: Path) -> None:
    text = change if isinstance(change, str) else json.dumps({**json.loads(line(SLOW, 1.0)), **change})
    with pytest.raises(CompileError, match=message) as caught:
        read_measurements(written(tmp_path, line(SLOW, 1.0), text))
    assert str(caught.value.location).endswith("measured.jsonl:2")


def test_no_file_at_all() -> None:
    with pytest.raises(CompileError, match="measurements=3: the path of a file"):
        vtac.compile(TEXT, "cuda", "sm_90", measurements=3)  # pyright: ignore[reportCallIssue, reportArgumentType]
