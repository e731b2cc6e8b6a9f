"""`vtac-opt` from the outside: arguments in, exit status and streams out."""

from __future__ import annotations

import os
import re
import stat
from importlib.metadata import version
from pathlib import Path

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt
from run_programs import Outcome, run_program
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.utils.exceptions import PassFailedException, VerifyException

from vtac.errors import CompileError, VtacError
from vtac.universe import get_all_passes

GOOD = """func.func @double(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  func.return %0 : i32
}
"""
BAD = """func.func @wrong(%a: i32) {
  %0 = "arith.addi"(%a) : (i32) -> i32
  func.return
}
"""


def vtac_opt(*arguments: str, text: str = "") -> Outcome:
    return run_program(["vtac-opt", *arguments], text.encode(), merge=False)


def refusal(*arguments: str, text: str = GOOD) -> str:
    """What a refused call says: exit status 1, nothing on stdout, one line on stderr and the place in the source."""
    outcome = vtac_opt(*arguments, text=text)
    assert (outcome.status, outcome.stdout) == (1, b"")
    message, *quoted = outcome.stderr.decode().splitlines()
    assert not quoted or (len(quoted) == 2 and "^" in quoted[1])
    return message.strip()


def test_prints_the_module() -> None:
    outcome = vtac_opt(text=GOOD)
    assert (outcome.status, outcome.stderr) == (0, b"")
    assert outcome.stdout.decode().startswith("builtin.module {\n  func.func @double")


def test_runs_passes_in_order() -> None:
    text = "func.func @f() {\n  %0 = arith.constant 1 : i32\n  func.return\n}\n"
    assert "arith.constant" not in vtac_opt("-p", "cse, dce", text=text).stdout.decode()


def test_help_lists_options_passes_and_an_example() -> None:
    outcome = vtac_opt("--help")
    assert outcome.status == 0
    for expected in ("--verify-diagnostics", "example:", "canonicalize"):
        assert expected in outcome.stdout.decode()


def test_version_names_vtac_and_xdsl() -> None:
    assert vtac_opt("--version").stdout.decode().startswith("vtac-opt: vtac ")
    assert f"xdsl {version('xdsl')}\n" in vtac_opt("--version").stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "canonicalise"], "vtac-opt: error: unknown pass 'canonicalise'; did you mean 'canonicalize'?"),
        (["-p", "cse,,dce"], "cannot parse the pass pipeline 'cse,,dce' at character 5: Expected pass name here"),
        (["-p", "cse{"], "cannot parse the pass pipeline 'cse{' at character 5"),
        (["-p", "cse{loops=1}"], "pass 'cse' has no option 'loops'; it has none"),
        (["-p", "scf-parallel-loop-tiling"], "requires the option 'parallel-loop-tile-sizes'"),
        (
            ["-p", "scf-parallel-loop-tiling{parallel-loop-tile-sizes=big}"],
            "option 'parallel-loop-tile-sizes' expects tuple[int, ...], not big",
        ),
        (
            ["-p", "scf-parallel-loop-tiling{tile-sizes=4}"],
            "has no option 'tile-sizes'; its options are parallel-loop-tile-sizes (tuple[int, ...])",
        ),
        (["-t", "mlri"], "unknown target 'mlri'; did you mean 'mlir'?"),
        (["-t", "mlir,mlir"], "-t takes one target"),
        (["--split-inputfile"], "unexpected argument '--split-inputfile'; did you mean '--split-input-file'?"),
        (["-p"], "expected one argument"),
        (["no/such/file.mlir"], "cannot read 'no/such/file.mlir': No such file or directory"),
        (["."], "cannot read '.': it is a folder, not a file"),
        (["-o", "no/such/directory/x.mlir"], "cannot write 'no/such/directory/x.mlir': No such file or directory"),
        (["--no-implicit-module"], "<stdin>:1:1: error: builtin.module operation expected"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], message: str) -> None:
    assert message in refusal(*arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "<stdin>:1:1: error: the input is empty"),
        ("  // nothing but a comment\n", "<stdin>:1:1: error: the input is empty"),
        ("func.func @f(", "<stdin>:1:14: error:"),
        ("\n\n  arith.adddi\n", "<stdin>:3:3: error: dialect 'arith' has no operation 'arith.adddi'; did you mean"),
        (
            "artih.addi\n",
            "<stdin>:1:1: error: unknown dialect 'artih' of operation 'artih.addi'; did you mean 'arith'?",
        ),
        ('%0 = "a.b"() : () -> i32\n', "<stdin>:1:6: error: unknown dialect 'a'"),
        ("%0 = @\n", "<stdin>:1:6: error:"),
    ],
)
def test_text_that_does_not_parse_is_located(text: str, message: str) -> None:
    assert refusal(text=text).startswith(message)


def test_bytes_that_are_not_utf8_are_located() -> None:
    outcome = run_program(["vtac-opt"], b"// fine\n// \xff\n", merge=False)
    assert outcome.status == 1
    assert outcome.stderr.decode().startswith("<stdin>:2:4: error: byte 0xff is not UTF-8 text")


def test_deep_nesting_is_refused_in_one_line() -> None:
    depth = 2000
    text = '"test.op"() ({\n' * depth + "}) : () -> ()\n" * depth
    assert "nested too deeply" in refusal(text=text)


def test_a_crash_is_one_line_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("xdsl.transforms.dead_code_elimination.DeadCodeElimination.apply", crash)
    expected = "<stdin>: error: internal error: ZeroDivisionError: by accident; rerun with --debug for the traceback"
    assert refusal("-p", "dce") == expected
    assert "Traceback" in vtac_opt("-p", "dce", "--debug", text=GOOD).stderr.decode()


def test_output_file_appears_whole(tmp_path: Path) -> None:
    output = tmp_path / "out.mlir"
    assert vtac_opt("-o", str(output), text=GOOD).stdout == b""
    assert output.read_bytes() == vtac_opt(text=GOOD).stdout
    assert os.listdir(tmp_path) == ["out.mlir"]


@pytest.mark.parametrize("arguments", [[], ["-p", "nonsense"], ["--split-input-file"]])
def test_failure_leaves_the_output_file_alone(tmp_path: Path, arguments: list[str]) -> None:
    output = tmp_path / "out.mlir"
    output.write_text("precious")
    outcome = vtac_opt("-o", str(output), *arguments, text=f"{GOOD}\n// -----\n{BAD}" if arguments else BAD)
    assert outcome.status == 1
    assert output.read_text() == "precious"
    assert os.listdir(tmp_path) == ["out.mlir"]


def test_output_file_keeps_its_permissions_and_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target.mlir", tmp_path / "link.mlir"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert vtac_opt("-o", str(link), text=GOOD).status == 0
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text().startswith("builtin.module")


def test_output_may_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "program.mlir"
    path.write_text(GOOD)
    assert vtac_opt(str(path), "-o", str(path)).status == 0
    assert path.read_text().startswith("builtin.module")


def test_every_chunk_is_processed_and_keeps_its_lines() -> None:
    outcome = vtac_opt("--split-input-file", text=f"{BAD}// -----\n{GOOD}// -----\n{BAD}")
    assert outcome.status == 1
    lines = outcome.stderr.decode().splitlines()
    assert [line.split(" ")[0] for line in lines if line[0] != " "] == ["<stdin>:2:8:", "<stdin>:12:8:"]
    assert outcome.stdout.decode().count("builtin.module") == 1


def test_ir_between_passes_goes_to_stderr() -> None:
    outcome = vtac_opt("-p", "canonicalize,cse,dce", "--print-between-passes", text=GOOD)
    errors = outcome.stderr.decode()
    assert [line for line in errors.splitlines() if line.startswith("//")] == [
        "// -----// IR after canonicalize //----- //",
        "// -----// IR after cse //----- //",
    ]
    assert outcome.stdout == vtac_opt(text=GOOD).stdout


def test_times_go_to_stderr() -> None:
    outcome = vtac_opt("-p", "cse", "--time-passes", text=GOOD)
    for phase in ("parse and verify", "cse", "verify after pass 'cse'", "print", "total"):
        assert phase in outcome.stderr.decode()
    assert outcome.stdout == vtac_opt(text=GOOD).stdout


ADDITION = str(Path(__file__).resolve().parents[2] / "examples" / "vta_vadd.mlir")


def printed_after(*arguments: str) -> list[str]:
    """What a run over the addition's program prints the IR after."""
    outcome = vtac_opt(ADDITION, *arguments, "-o", os.devnull)
    assert outcome.status == 0
    lines = [line for line in outcome.stderr.decode().splitlines() if line.startswith("//")]
    return [line.removeprefix("// -----// IR after ").removesuffix(" //----- //") for line in lines]


def test_the_passes_within_a_pipeline_are_seen() -> None:
    between = printed_after("-p", "lower-to-vta{phase=units},cse", "--print-between-passes")
    assert between[:3] == ["convert-linalg-to-schedule", "apply-schedule", "schedule-decompose-reductions"]
    assert between[-2:] == ["convert-gemm-to-vta", "convert-alu-to-vta"]
    assert printed_after("-p", "lower-to-vta{phase=units},cse", "--print-after-all") == [*between, "cse"]


def test_chosen_passes_and_phases_are_printed() -> None:
    chosen = ("--print-after=tokens", "--print-after=apply-schedule", "--print-after=lower-to-vta")
    assert printed_after("-p", "lower-to-vta", *chosen) == ["apply-schedule", "phase tokens", "lower-to-vta"]
    assert "--print-after=token: the pipeline has no pass and no phase of that name; did you mean 'tokens'?" in refusal(
        "-p", "lower-to-vta", "--print-after=token"
    )
    assert "of that name; it runs cse" in refusal("-p", "cse", "--print-after=lower-to-vta")


def test_times_are_a_tree() -> None:
    outcome = vtac_opt(ADDITION, "-p", "lower-to-vta", "--time-passes", "--verify-each", "-o", os.devnull)
    tree = [line[19:] for line in outcome.stderr.decode().splitlines()]
    start = tree.index("lower-to-vta")
    assert tree[start : start + 5] == [
        "lower-to-vta",
        "  phase payload",
        "    convert-linalg-to-schedule",
        "      verify after pass 'convert-linalg-to-schedule'",
        "    verify after phase 'payload'",
    ]


def test_a_pass_that_breaks_the_ir_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop_the_return(_self: object, _context: Context, module: ModuleOp) -> None:
        function = module.body.block.first_op
        assert isinstance(function, FuncOp)
        last = function.body.block.last_op
        assert last is not None
        last.detach()

    monkeypatch.setattr("xdsl.transforms.dead_code_elimination.DeadCodeElimination.apply", drop_the_return)
    assert "<stdin>:1:1: error: after pass 'dce': 'func.func' has a block that ends in" in refusal("-p", "dce")


def test_verification_can_be_switched_off() -> None:
    assert vtac_opt("--disable-verify", "--print-op-generic", text=BAD).status == 0


def test_unregistered_operations_need_the_flag() -> None:
    text = '"no_dialect.op"() : () -> ()\n'
    assert "unknown dialect 'no_dialect'" in refusal(text=text)
    assert vtac_opt("--allow-unregistered-dialect", text=text).status == 0


def test_locations_can_be_printed_and_stated() -> None:
    text = 'func.func @f() {\n  func.return loc("elsewhere.py":7:9)\n}\n'
    printed = vtac_opt("--print-debuginfo", text=text).stdout.decode()
    assert 'loc("elsewhere.py":7:9)' in printed
    assert 'loc("<stdin>":1:1)' in printed


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (VerifyException("xDSL's\n  words"), "<stdin>:2:8: error: xDSL's words"),
        (PassFailedException("not possible"), "<stdin>:2:8: error: not possible"),
        (CompileError("our words", "other.mlir:7:9"), "other.mlir:7:9: error: our words"),
        (CompileError("our words"), "<stdin>:2:8: error: our words"),
        (VtacError("no place"), "<stdin>: error: no place"),
        (
            KeyError("lost"),
            "<stdin>:2:8: error: internal error: KeyError: 'lost'; rerun with --debug for the traceback",
        ),
    ],
)
def test_errors_of_passes_are_located(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    def fail(_self: object, _context: Context, module: ModuleOp) -> None:
        for op in module.walk():
            if op.name == "arith.addi":
                raise error.with_traceback(None)

    monkeypatch.setattr("xdsl.transforms.dead_code_elimination.DeadCodeElimination.apply", fail)
    assert refusal("-p", "dce") == message
    if not isinstance(error, KeyError):
        text = GOOD.replace("  %0", f"  // expected-error @+1 {{{{{str(error).split()[-1]}}}}}\n  %0")
        expected = 0 if ":2:8:" in message else 1
        assert vtac_opt("-p", "dce", "--verify-diagnostics", text=text).status == expected


def test_passes_are_listed_with_what_they_do() -> None:
    text = vtac_opt("--list-passes").stdout.decode()
    own, _, upstream = text.partition("passes of xDSL:")
    assert [line.split(" ")[0] for line in own.splitlines() if line] == sorted(get_all_passes())
    assert re.search(r"^vta-place-buffers +Replace on-chip buffers by SRAM addresses\.$", own, re.MULTILINE)
    assert "canonicalize" in upstream


@pytest.mark.parametrize("name", get_all_passes())
def test_help_of_a_pass(name: str) -> None:
    text = vtac_opt("--help-pass", name).stdout.decode()
    assert text.startswith(f"{name}\n\n")
    for heading in ("requires: ", "ensures: ", "declines: ", "options:"):
        assert f"\n{heading}" in text


def test_help_of_a_pass_names_options_and_phases() -> None:
    text = vtac_opt("--help-pass", "lower-to-wmma").stdout.decode()
    assert "\noptions:\n  phase: str = 'wmma'\n" in text
    assert "\nphases:\n  payload: convert-attention-to-memory, convert-linalg-to-schedule\n" in text
    assert "\n  scheduled: apply-schedule\n" in text
    assert "options: none" in vtac_opt("--help-pass", "canonicalize").stdout.decode()
    assert "unknown pass 'lower-to-vt'; did you mean 'lower-to-vta'?" in refusal("--help-pass", "lower-to-vt")


@pytest.fixture(name="irdl_file")
def _irdl_file(tmp_path: Path) -> str:
    file = tmp_path / "vtac.irdl.mlir"
    assert vtac_opt("--irdl", "-o", str(file)).status == 0
    return str(file)


def test_dialects_as_irdl(irdl_file: str) -> None:
    text = Path(irdl_file).read_text()
    assert vtac_opt(irdl_file).stdout.decode() == text
    for definition in (
        "irdl.dialect @packing",
        'irdl.type @"!block"',
        "irdl.operation @block",
        "irdl.attribute @kind",
        "irdl.type @fragment",
        "irdl.parameters(extent: ",
    ):
        assert definition in text


@needs_mlir_opt
def test_mlir_loads_our_dialects(irdl_file: str) -> None:
    good = """func.func @f(%a: memref<4xi32>) {
      "vta.load_2d"(%a) {static = array<i64>, memory = "acc", operandSegmentSizes = array<i32: 1, 0, 0>}
        : (memref<4xi32>) -> ()
      "some.use"() {loop = #vta.uop_loop<64, 1, 1, 0>, kind = #schedule.kind<"serial">} : () -> ()
      return
    }"""
    assert "#vta.uop_loop<64 : i64, 1 : i64, 1 : i64, 0 : i64>" in mlir_opt(f"--irdl-file={irdl_file}", text=good)
    bad = good.replace("memref<4xi32>", "tensor<4xi32>")
    with pytest.raises(AssertionError, match=r"expected base type 'builtin\.memref' but got 'builtin\.tensor'"):
        mlir_opt(f"--irdl-file={irdl_file}", text=bad)
