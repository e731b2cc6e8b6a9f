"""Programs as callables, and as directories."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.errors import ProgramError
from vtac.targets.vta.programs.program import Program
from vtac.workloads.vadd import VectorAdd

LAYER = VectorAdd(64)
ONES = np.ones(LAYER.shape, np.int32)
SHORT = np.ones(3, np.int32)


@pytest.fixture
def program() -> Program:
    return vtac.compile(LAYER.text(), schedule=LAYER.schedule()).stream


CALLS: dict[str, tuple[Callable[[Program], object], str]] = {
    "too few arrays": (
        lambda program: program(ONES),
        "called with 1 array; the program takes 2 (A: 1x4x1x16 int32, B: 1x4x1x16 int32)",
    ),
    "wrong shape": (
        lambda program: program(ONES, SHORT),
        "argument 'B' is 3 int32; the program takes 1x4x1x16 int32: reshape it first",
    ),
    "wrong dtype": (
        lambda program: program(ONES.astype(np.int8), ONES),
        "argument 'A' is 1x4x1x16 int8; the program takes 1x4x1x16 int32: "
        "convert it with astype(int32), where its numbers fit",
    ),
    "no array": (
        lambda program: program(ONES, [1, 2]),  # pyright: ignore[reportArgumentType]
        "argument 'B' is a list; the program takes a numpy array of 1x4x1x16 int32",
    ),
    "statistics before a run": (lambda program: program.stats, "stats are those of a run: call the program first"),
    "inputs that do not fit": (
        lambda program: program.save("unused", inputs=[ONES]),
        "called with 1 array; the program takes 2",
    ),
    "a file in the way": (lambda program: program.save("/dev/null/x"), "cannot save to /dev/null/x: Not a directory"),
}


@pytest.mark.parametrize("name", CALLS)
def test_misuse(name: str, program: Program) -> None:
    attempt, text = CALLS[name]
    with pytest.raises(ProgramError) as caught:
        attempt(program)
    assert text in str(caught.value)


def test_arrays_stay_untouched_and_runs_repeat(program: Program) -> None:
    first, second = np.arange(64, dtype=np.int32).reshape(LAYER.shape), ONES.copy()
    results = [program(first, second) for _ in range(2)]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(first.reshape(-1), np.arange(64))
    assert np.array_equal(program(np.asfortranarray(first), second), results[0])


def test_saved_program_has_the_documented_form(program: Program, tmp_path: Path) -> None:
    program(ONES, 2 * ONES)
    program.save(tmp_path)
    described = json.loads((tmp_path / "program.json").read_text())
    image = (tmp_path / "dram.bin").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dram.bin", "insn.bin", "program.json", "uop.bin"]
    assert described["format"] == 1
    assert described["config"] == vtac.VTAConfig().to_fields()
    assert (described["instructions"], described["micro_ops"]) == (8, 1)
    assert described["inputs_placed"] is True
    keys = ("name", "role", "address", "nbytes", "dtype", "shape")
    assert [[buffer[key] for key in keys] for buffer in described["buffers"]] == [
        ["A", "input", 0x1000, 256, "int32", [1, 4, 1, 16]],
        ["B", "input", 0x2000, 256, "int32", [1, 4, 1, 16]],
        ["C", "output", 0x3000, 64, "int8", [1, 4, 1, 16]],
        ["micro_ops", "uop", 0x4000, 4, "uint32", [1]],
    ]
    assert image[0x2000:0x2100] == (2 * ONES).tobytes()
    assert image[0x4000:] == (tmp_path / "uop.bin").read_bytes()
    assert image[0x3000:0x3040] == bytes(64)


def test_saved_program_runs_without_the_compiler(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path)
    again = vtac.load_program(tmp_path, "vta")
    assert json.loads((tmp_path / "program.json").read_text())["inputs_placed"] is False
    assert np.array_equal(again(ONES, ONES), program(ONES, ONES))
    assert again.stats == program.stats
    assert again.disassemble() == program.disassemble()


def damaged(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return damage


def described(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        description = json.loads((folder / "program.json").read_text())
        change(description)
        (folder / "program.json").write_text(json.dumps(description))

    return damage


def configuration(description: dict[str, object]) -> dict[str, object]:
    return description["config"]  # pyright: ignore[reportReturnType]


def first_buffer(description: dict[str, object]) -> dict[str, object]:
    return description["buffers"][0]  # pyright: ignore[reportReturnType, reportIndexIssue, reportUnknownVariableType]


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (
        lambda folder: (folder / "uop.bin").unlink(),
        "program.json holds a digest of 'uop.bin', which is not there: save it again",
    ),
    "truncated stream": (
        damaged("insn.bin", lambda data: data[:-5]),
        "insn.bin has 123 bytes; program.json promises 8 entries of 16: the file is truncated or belongs to "
        "another program",
    ),
    "micro-ops of another": (
        damaged("uop.bin", lambda data: data * 2),
        "uop.bin has 8 bytes; program.json promises 1 entries of 4",
    ),
    "truncated memory": (
        damaged("dram.bin", lambda data: data[:0x3010]),
        "dram.bin has 12304 bytes; buffer 'C' ends at 12352",
    ),
    "no JSON": (damaged("program.json", lambda data: data[:40]), "program.json: not JSON: "),
    "no object": (damaged("program.json", lambda _: b"[]"), "program.json: expected a JSON object"),
    "future format": (described(lambda d: d.update(format=2)), "program.json: format 2; this version reads format 1"),
    "no configuration": (described(lambda d: d.pop("config")), "'config' must be an object and 'buffers' a list"),
    "illegal configuration": (described(lambda d: configuration(d).update(LOG_BATCH=99)), "LOG_BATCH is 99"),
    "configuration in part": (
        described(lambda d: configuration(d).pop("LOG_BATCH")),
        "'config' lacks LOG_BATCH: a saved program states every field",
    ),
    "size against shape": (
        described(lambda d: first_buffer(d).update(nbytes=5)),
        "buffer 'A' has nbytes 5; its shape and dtype make 256",
    ),
    "one name twice": (described(lambda d: first_buffer(d).update(name="B")), "two buffers are called 'B'"),
    "overlap": (
        described(lambda d: first_buffer(d).update(address=0x1FFF)),
        "buffers 'A' and 'B' overlap: the first ends at 0x20ff, the second begins at 0x2000",
    ),
    "micro-ops against memory": (
        damaged("uop.bin", lambda data: bytes(byte ^ 1 for byte in data)),
        "uop.bin and the micro-ops at 0x4000 of dram.bin differ: one of the files belongs to another program",
    ),
    "no micro-op buffer": (
        described(lambda d: d.update(buffers=[first_buffer(d)])),
        "the last buffer, and no other, must hold the micro-ops (role uop)",
    ),
    "unknown role": (
        described(lambda d: first_buffer(d).update(role="guest")),
        "a buffer needs a name, a known role and a known dtype, found {'name': 'A', 'role': 'guest'",
    ),
    "no address": (described(lambda d: first_buffer(d).update(address=-1)), "buffer 'A' needs an address and a shape"),
    "odd shape": (described(lambda d: first_buffer(d).update(shape=[1, "x"])), "buffer 'A' has shape [1, 'x']"),
    "origins of another": (
        described(lambda d: d.update(origins=[-1])),
        "'origins' must index 'sites', each with 'op' and 'location'",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_programs(name: str, program: Program, tmp_path: Path) -> None:
    damage, text = DAMAGE[name]
    program.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(vtac.VtacError) as caught:
        vtac.load_program(tmp_path)
    assert text in str(caught.value)


def test_what_cannot_be_written_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "uop.bin").mkdir()
    with pytest.raises(vtac.ProgramError, match=r"cannot save to .*uop.bin: Is a directory"):
        program.save(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
