"""Plain programs through `vtac compile` and `vtac run`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plain_programs import CLAMP, PlainConv, elementwise

import vtac
from vtac.evaluate import evaluate
from vtac.tools.vtac import main

KIND, WIDE = "tensor<1x16x4x4xi8>", "tensor<1x16x4x4xi32>"


def two_layers() -> str:
    """A clamped sum, a product for the host, another clamp."""
    triple = "\n    %three = arith.constant 3 : i32\n    %y = arith.muli %x, %three : i32"
    lines = ["#id = affine_map<(n, c, h, w) -> (n, c, h, w)>", f"func.func @net(%a: {WIDE}) -> {KIND} {{"]
    lines += elementwise(
        "first", ["%a"], WIDE, WIDE, "\n    %one = arith.constant 1 : i32\n    %y = arith.addi %x, %one : i32"
    )
    lines += elementwise("tripled", ["%first"], WIDE, WIDE, triple)
    lines += elementwise("last", ["%tripled"], WIDE, KIND, CLAMP)
    return "\n".join([*lines, f"  func.return %last : {KIND}", "}", ""])


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.mlir"
    path.write_text(two_layers())
    return path


def test_run_takes_plain_arrays(tmp_path: Path) -> None:
    layer = tmp_path / "layer.mlir"
    layer.write_text(PlainConv(pads=(1, 1, 1, 1)).text())
    generator = np.random.default_rng(0)
    data = generator.integers(-128, 128, (1, 16, 6, 5)).astype(np.int8)
    kernel = generator.integers(-128, 128, (16, 16, 3, 3)).astype(np.int8)
    np.savez(tmp_path / "x.npz", in_data=data, in_w=kernel)
    assert main(["run", str(layer), "--inputs", str(tmp_path / "x.npz"), "--outputs", str(tmp_path / "y.npz")]) == 0
    (found,) = np.load(tmp_path / "y.npz").values()
    np.testing.assert_array_equal(found, evaluate(vtac.parse(layer), data, kernel))


def test_several_device_programs_are_saved_side_by_side(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = network.parent / "saved"
    assert main(["compile", str(network), "-o", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["host.mlir", "net_0", "net_1"]
    streams = capsys.readouterr()
    assert "note: host: 'linalg.generic' cannot run on the VTA: it multiplies by 3" in streams.err
    assert "net_1: " in streams.out
    assert main(["run", str(folder / "net_1")]) == 0
    assert "packing.host" in (folder / "host.mlir").read_text()
    vtac.parse(folder / "host.mlir").verify()


def test_no_host_refuses(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(network), "-o", str(network.parent / "saved"), "--no-host"]) == 1
    assert (
        "net.mlir:12:14: error: 'linalg.generic' cannot run on the VTA: it multiplies by 3" in capsys.readouterr().err
    )
