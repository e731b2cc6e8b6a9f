"""The subcommands of `vtac` on a saved program: the sum of two blocks of four accumulator tiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from saved_sum import saved
from vtac_runs import refusal, succeed, vtac

from vtac.dialects.hardware import VTAConfig

__all__ = ["saved"]


def operands() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    left, right = (generator.integers(-50, 50, (4, 1, 16)).astype(np.int32) for _ in range(2))
    return left, right


@pytest.mark.parametrize("command", ["run", "compile", "disasm", "asm", "check", "diff"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    text = succeed(command, "--help")
    assert f"usage: vtac {command}" in text
    assert "example:" in text
    assert f"  {command} " in succeed("--help")


def test_version() -> None:
    assert succeed("--version").startswith("vtac: vtac ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "vtac: error: a command is missing: run, compile, quantize, disasm"),
        (["chek"], "unknown command 'chek'; did you mean 'check'?"),
        (["frobnicate"], "unknown command 'frobnicate'; the commands are run, compile"),
        (["run"], "the following arguments are required: FILE; run 'vtac run --help' for the options"),
        (["run", "x.mlir", "--seeds", "1"], "unexpected argument '--seeds'; did you mean '--seed'?"),
        (["run", "x.mlir", "--seed", "one"], "argument --seed: invalid int value: 'one'"),
        (["run", "x.mlir", "--target", "fpga"], "argument --target: invalid choice: 'fpga'"),
        (["run", "x.mlir", "--device", "gpu"], "--device gpu is for CUDA programs"),
        (["run", "no/such.mlir"], "cannot read 'no/such.mlir': No such file or directory"),
        (["compile", "x.mlir"], "the directory for the saved program is missing: add -o DIR"),
        (["compile", "x.mlir", "-o", "d", "--config", "no.json"], "cannot read the configuration no.json"),
        (["asm", "-"], "the output file is missing: add -o FILE"),
        (["disasm", "no/such"], "cannot read 'no/such': No such file or directory"),
        (["check", ".", "--dram", "x"], "--config and --dram are for raw files"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], message: str) -> None:
    assert message in refusal(*arguments)


def test_run_prints_counters_and_checksums(saved: str) -> None:
    text = succeed("run", saved)
    assert "acc_load_nbytes" in text
    assert "total             int8 4x1x16  sha256 " in text
    assert "cycles on de10" in text
    assert succeed("run", saved) == text
    assert succeed("run", saved, "--seed", "1") != text


def test_run_reads_and_writes_archives_by_name_or_position(saved: str, tmp_path: Path) -> None:
    left, right = operands()
    expected = (left + right).astype(np.int8)
    named, positional = tmp_path / "named.npz", tmp_path / "positional.npz"
    np.savez(named, right=right, left=left, unrelated=right)
    np.savez(positional, in_7=left, out_0=expected, in_1=right)
    for archive in (named, positional):
        output = tmp_path / "out.npz"
        succeed("run", saved, "--inputs", archive, "--outputs", output)
        with np.load(output) as results:
            assert results.files == ["total"]
            np.testing.assert_array_equal(results["total"], expected)


def test_run_writes_stats_dump_trace_and_timeline(saved: str, tmp_path: Path) -> None:
    stats, dump = tmp_path / "stats.json", tmp_path / "dump"
    trace, timeline = tmp_path / "trace.json", tmp_path / "timeline.svg"
    succeed("run", saved, "--stats", stats, "--dump", dump, "--trace", trace, "--timeline", timeline)
    record = json.loads(stats.read_text())
    assert (record["acc_load_nbytes"], record["out_store_nbytes"], record["alu_counter"]) == (512, 64, 4)
    assert json.loads((dump / "program.json").read_text())["inputs_placed"] is True
    assert "sum.mlir:4:3" in trace.read_text()
    assert timeline.read_text().startswith("<svg")


def test_run_shows_progress_on_stderr(saved: str) -> None:
    outcome = vtac("run", saved, "--progress")
    assert outcome.status == 0
    assert "instructions: 8 of 8\n" in outcome.stderr.decode()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"left": (4, 1, 16)},
            "holds left; expected the arguments left, right, or 2 arrays whose names begin with in_",
        ),
        ({}, "holds nothing; expected the arguments left, right"),
        ({"left": (4, 1, 16), "right": (4, 16)}, "argument 'right' is 4x16 int32; the program takes 4x1x16 int32"),
    ],
)
def test_run_refuses_arrays_that_do_not_fit(
    saved: str, tmp_path: Path, arrays: dict[str, tuple[int, ...]], message: str
) -> None:
    archive = tmp_path / "in.npz"
    np.savez(archive, allow_pickle=False, **{name: np.zeros(shape, np.int32) for name, shape in arrays.items()})
    assert message in refusal("run", saved, "--inputs", archive)


def test_run_refuses_what_is_no_archive(saved: str, tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    assert "cannot read" in refusal("run", saved, "--inputs", path)
    path.write_bytes(b"no archive at all")
    assert "is no archive of numbers" in refusal("run", saved, "--inputs", path)
    np.savez(path, left=np.array([{}], dtype=object))
    assert "is no archive of numbers" in refusal("run", saved, "--inputs", path)
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    assert "is a single array" in refusal("run", saved, "--inputs", path)


def test_random_ranges_are_checked(saved: str) -> None:
    assert "the range of random values for 'left' is empty: --low 5 --high 5" in refusal(
        "run", saved, "--low", "5", "--high", "5"
    )
    message = refusal("run", saved, "--high", str(2**40))
    assert "do not fit argument 'left' of int32; choose --low and --high between -2147483648 and 2147483648" in message


def test_run_refuses_options_of_program_files(saved: str, tmp_path: Path) -> None:
    config = tmp_path / "vta_config.json"
    config.write_text("{}")
    assert "is a saved program: --config, --schedule, --acc-8bit and --check are for program files" in refusal(
        "run", saved, "--config", config
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--timeline", "conv.pdf"), "--timeline conv.pdf cannot be drawn: its name must end in .svg or .png"),
        (("--stats", "nowhere/s.json"), "cannot write nowhere/s.json: there is no directory 'nowhere'"),
        (("--target", "cuda"), "is a saved VTA program: leave out --target cuda"),
    ],
)
def test_run_refuses_before_it_runs(saved: str, tmp_path: Path, options: tuple[str, str], message: str) -> None:
    written = tmp_path / "y.npz"
    outcome = vtac("run", saved, "--outputs", written, *options)
    assert outcome.status == 1
    assert message in outcome.stderr.decode()
    assert outcome.stdout == b""
    assert not written.exists()


def test_saved_programs_that_are_damaged_are_refused(saved: str) -> None:
    description = Path(saved, "program.json")
    description.write_text("{")
    assert "program.json: not JSON" in refusal("disasm", saved)
    description.write_text("[]")
    assert "expected a JSON object" in refusal("disasm", saved)
    description.write_text(json.dumps({"format": 1, "config": {**VTAConfig().to_fields(), "LOG_BATCH": "four"}}))
    assert "LOG_BATCH is 'four'; expected an integer" in refusal("disasm", saved)
