"""Plain programs through `vtac compile` and `vtac run`."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    assert sorted(path.name for path in folder.iterdir()) == ["device_0", "device_1", "host.mlir", "program.json"]
    streams = capsys.readouterr()
    assert "note: host: 'linalg.generic' cannot run on the VTA: it multiplies by 3" in streams.err
    assert "device_1: net_1: " in streams.out
    assert main(["run", str(folder / "device_1")]) == 0
    host = (folder / "host.mlir").read_text()
    assert "packing.host" in host
    assert "linalg.generic" not in host.partition("func.func private")[2]


def test_saved_host_programs_run(network: Path) -> None:
    folder = network.parent / "saved"
    data = np.random.default_rng(1).integers(-9, 50, (1, 16, 4, 4)).astype(np.int32)
    program = vtac.compile(network)
    expected = program(data)
    program.save(folder)
    loaded = vtac.load_program(folder, "vta")
    assert [buffer.name for buffer in loaded.arguments] == ["a"]
    np.testing.assert_array_equal(loaded(data), expected)
    assert loaded.stats == program.stats
    assert vtac.check(loaded) == []
    loaded.save(network.parent / "again")
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert (network.parent / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_one_layer_lies_beside_its_host_function(tmp_path: Path) -> None:
    program = vtac.compile(PlainConv(channels=3, pads=(1, 1, 1, 1)).text())
    program.save(tmp_path)
    loaded = vtac.load_program(tmp_path, "vta")
    generator = np.random.default_rng(2)
    arrays = [generator.integers(-128, 128, buffer.shape).astype(np.int8) for buffer in loaded.arguments]
    np.testing.assert_array_equal(loaded(*arrays), program(*arrays))
    assert main(["run", str(tmp_path), "--outputs", str(tmp_path / "y.npz")]) == 0
    assert next(iter(np.load(tmp_path / "y.npz").values())).shape == loaded.results[0].shape


def test_every_stream_is_checked(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = network.parent / "saved"
    vtac.compile(network).save(folder)
    for index in (folder / "program.json", folder / "device_1" / "program.json"):
        fields = json.loads(index.read_text())
        del fields["digests"]
        index.write_text(json.dumps(fields))
    stream = folder / "device_1" / "insn.bin"
    words = bytearray(stream.read_bytes())
    words[-16:] = words[-32:-16]
    stream.write_bytes(words)
    assert main(["check", str(folder)]) == 1
    assert "net_1: " in capsys.readouterr().out


def test_the_outer_index_answers_for_every_stream_s_files(network: Path) -> None:
    """A stream whose own index was made to fit it again, and left out of the outer one."""
    folder = network.parent / "saved"
    vtac.compile(network).save(folder)
    inner, outer = folder / "device_1" / "program.json", folder / "program.json"
    fields = json.loads(inner.read_text())
    del fields["digests"]
    inner.write_text(json.dumps(fields))
    fields = json.loads(outer.read_text())
    assert {f"device_1/{name}" for name in ("insn.bin", "uop.bin", "dram.bin", "program.json")} <= set(
        fields["digests"]
    )
    del fields["digests"]["device_1/program.json"]
    outer.write_text(json.dumps(fields))
    vtac.load_program(folder)
    stream = folder / "device_1" / "insn.bin"
    words = bytearray(stream.read_bytes())
    words[-16:] = words[-32:-16]
    stream.write_bytes(words)
    with pytest.raises(vtac.ProgramError, match=r"device_1/insn.bin is not the file that was saved with program.json"):
        vtac.load_program(folder)


@pytest.mark.parametrize("name", ["host.mlir", "device_1/program.json", "device_0/uop.bin"])
def test_a_listed_file_that_is_missing_is_named(network: Path, name: str) -> None:
    folder = network.parent / "saved"
    vtac.compile(network).save(folder)
    (folder / name).unlink()
    with pytest.raises(vtac.ProgramError, match=f"{name}"):
        vtac.load_program(folder)


def test_one_stream_without_its_host_function_is_refused(tmp_path: Path) -> None:
    vtac.compile(PlainConv(channels=3, pads=(1, 1, 1, 1)).text()).save(tmp_path)
    (tmp_path / "host.mlir").unlink()
    with pytest.raises(vtac.ProgramError, match=r"holds a digest of 'host.mlir', which is not there: save it again"):
        vtac.load_program(tmp_path)


def _of_another_device(text: str) -> str:
    return text.replace("@net_1", "@net_9")


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _emptied(text: str) -> str:
    return text[:0]


def _without_calls(text: str) -> str:
    return f"func.func @f() {{ func.return }} // {len(text)}"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_of_another_device, "calls net_0, net_9; program.json describes net_0, net_1"),
        (_cut, "host.mlir:[0-9]+:[0-9]+: "),
        (_emptied, "host.mlir:1:1: the input is empty"),
        (_without_calls, "calls no device program"),
    ],
)
def test_damaged_host_functions_are_refused(network: Path, edit: Callable[[str], str], message: str) -> None:
    folder = network.parent / "saved"
    vtac.compile(network).save(folder)
    host = folder / "host.mlir"
    host.write_text(edit(host.read_text()))
    with pytest.raises(vtac.ProgramError, match=message):
        vtac.load_program(folder)


def test_no_host_refuses(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(network), "-o", str(network.parent / "saved"), "--no-host"]) == 1
    assert (
        "net.mlir:12:14: error: 'linalg.generic' cannot run on the VTA: it multiplies by 3" in capsys.readouterr().err
    )
