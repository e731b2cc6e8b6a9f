"""The subcommands of `vtac` on a saved program: the sum of two blocks of four accumulator tiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from run_programs import Outcome, run_program

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble, assemble_micro_ops
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import Origin
from vtac.targets.vta.stream.layout import Buffer

ASSEMBLY = """\
0: load.acc   sram 0 <- dram 0x40, 1 x 4 stride 4
1: load.acc   sram 4 <- dram 0x80, 1 x 4 stride 4
2: load.uop   sram 0 <- dram 0x1000, 1 x 1 stride 1
3: alu.add    uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)                 push_next
4: store.out  sram 0 -> dram 0x300, 1 x 4 stride 4                               pop_prev push_prev
5: load.inp   nop                                                                push_next
6: load.uop   nop                                                                pop_prev pop_next
7: finish
"""
MICRO_OPS = "0: uop        dst 0, src 4, wgt 0\n"


def program() -> Program:
    config = VTAConfig()
    buffers = (
        Buffer("left", "input", "int32", (4, 1, 16), 0x1000, is_argument=True),
        Buffer("right", "input", "int32", (4, 1, 16), 0x2000, is_argument=True),
        Buffer("total", "output", "int8", (4, 1, 16), 0x3000, is_result=True),
        Buffer("micro_ops", "uop", "uint32", (1,), 0x4000),
    )
    origins = tuple(Origin("vta.load_2d" if at < 3 else "vta.alu", f"sum.mlir:{at + 1}:3") for at in range(8))
    return Program(config, assemble(ASSEMBLY, config), assemble_micro_ops(MICRO_OPS, config), buffers, origins=origins)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    folder = tmp_path / "saved"
    program().save(folder)
    return str(folder)


def vtac(*arguments: str | Path, text: str = "") -> Outcome:
    return run_program(["vtac", *map(str, arguments)], text.encode(), merge=False)


def succeed(*arguments: str | Path, text: str = "") -> str:
    outcome = vtac(*arguments, text=text)
    assert (outcome.status, outcome.stderr) == (0, b"")
    return outcome.stdout.decode()


def refusal(*arguments: str | Path, text: str = "") -> str:
    outcome = vtac(*arguments, text=text)
    assert (outcome.status, outcome.stdout) == (1, b"")
    message = outcome.stderr.decode()
    assert message.count("\n") == 1
    return message


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


def test_disassembly_assembles_back(saved: str, tmp_path: Path) -> None:
    text = succeed("disasm", saved)
    assert text == ASSEMBLY
    output = tmp_path / "insn.bin"
    for listing in (text, succeed("disasm", saved, "--sources")):
        succeed("asm", "-", "-o", output, text=listing)
        assert output.read_bytes() == Path(saved, "insn.bin").read_bytes()
    assert succeed("disasm", output) == ASSEMBLY
    micro_ops = tmp_path / "uop.bin"
    succeed("asm", "-", "--micro-ops", "-o", micro_ops, text=succeed("disasm", saved, "--micro-ops"))
    assert micro_ops.read_bytes() == Path(saved, "uop.bin").read_bytes()


def test_disassembly_names_sources(saved: str) -> None:
    lines = succeed("disasm", saved, "--sources").splitlines()
    assert lines[0].endswith("# left+0  vta.load_2d sum.mlir:1:3")
    assert lines[7].endswith("# vta.alu sum.mlir:8:3")


def test_assembly_errors_name_the_line(tmp_path: Path) -> None:
    assert "'<stdin>': line 2: " in refusal("asm", "-", "-o", tmp_path / "x", text="finish\nfly away\n")
    assert not (tmp_path / "x").exists()


def test_truncated_streams_are_refused(saved: str, tmp_path: Path) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(Path(saved, "insn.bin").read_bytes()[:20])
    assert "the stream has 20 bytes, 4 more than 1 instructions" in refusal("disasm", path)


def test_check_proves_or_finds(saved: str, tmp_path: Path) -> None:
    assert succeed("check", saved) == "proven clean\n"
    assert succeed("check", Path(saved, "insn.bin"), "--dram", Path(saved, "dram.bin")) == "proven clean\n"
    broken = tmp_path / "broken.bin"
    broken.write_bytes(assemble(ASSEMBLY.replace("pop_prev push_prev", "push_prev"), VTAConfig()))
    outcome = vtac("check", broken, "--dram", Path(saved, "dram.bin"))
    assert outcome.status == 1
    assert "race" in outcome.stdout.decode()


def test_diff_shows_the_first_difference(saved: str, tmp_path: Path) -> None:
    assert succeed("diff", saved, saved) == "no difference\n"
    other = tmp_path / "other.bin"
    other.write_bytes(assemble(ASSEMBLY.replace("alu.add", "alu.max"), VTAConfig())[:-16])
    outcome = vtac("diff", Path(saved, "insn.bin"), other, "--context", "1")
    assert (outcome.status, outcome.stderr) == (1, b"")
    lines = outcome.stdout.decode().splitlines()
    assert lines[0] == "instructions differ from instruction 3 on (8 against 7):"
    assert [line[:13] for line in lines[1:4]] == ["  = 2: load.u", "  - 3: alu.ad", "  + 3: alu.ma"]
    assert [line[:13] for line in lines[4:]] == ["  = 6: load.u", "  - 7: finish", "  + 7: (the s"]


def test_diff_aligns_what_was_inserted(saved: str, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    nop = assemble("load.uop nop\n", VTAConfig())
    data = Path(saved, "insn.bin").read_bytes()
    other.write_bytes(data[:32] + nop + data[32:])
    lines = vtac("diff", Path(saved, "insn.bin"), other, "--context", "0").stdout.decode().splitlines()
    assert lines == ["instructions differ from instruction 2 on (8 against 9):", "  + 2: load.uop   nop"]
    assert "--context -1 --most 10: at least 0 and 1 are required" in refusal("diff", saved, saved, "--context", "-1")


def test_diff_of_a_program_and_a_file_compares_instructions(saved: str) -> None:
    assert succeed("diff", saved, Path(saved, "insn.bin")) == "no difference\n"


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


def test_diff_shows_where_one_stream_ends(saved: str, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(Path(saved, "insn.bin").read_bytes()[:-16])
    lines = vtac("diff", Path(saved, "insn.bin"), other).stdout.decode().splitlines()
    assert lines[-2:] == ["  - 7: finish", "  + 7: (the stream ends)"]


def test_diff_shows_configurations_and_micro_ops(saved: str, tmp_path: Path) -> None:
    other = program()
    other.config = VTAConfig(target="board")
    other.micro_ops = assemble_micro_ops("uop dst 0, src 5, wgt 0\n", other.config)
    other.save(tmp_path / "other")
    text = vtac("diff", saved, tmp_path / "other").stdout.decode()
    assert "  TARGET: sim against board" in text
    assert "micro-ops differ from micro-op 0 on (1 against 1):" in text
    assert "  + 0: uop        dst 0, src 5, wgt 0" in text


def test_saved_programs_that_are_damaged_are_refused(saved: str) -> None:
    description = Path(saved, "program.json")
    description.write_text("{")
    assert "program.json: not JSON" in refusal("disasm", saved)
    description.write_text("[]")
    assert "expected a JSON object" in refusal("disasm", saved)
    description.write_text(json.dumps({"format": 1, "config": {**VTAConfig().to_fields(), "LOG_BATCH": "four"}}))
    assert "LOG_BATCH is 'four'; expected an integer" in refusal("disasm", saved)


def test_an_empty_assembly_is_no_stream(tmp_path: Path) -> None:
    empty = tmp_path / "empty.s"
    empty.write_text("\n")
    message = refusal("asm", str(empty), "-o", str(tmp_path / "insn.bin"))
    assert "empty.s' holds no instruction; a stream ends with finish" in message
    assert not (tmp_path / "insn.bin").exists()
