"""`vtac-opt` from the outside: arguments in, exit status and streams out."""

from __future__ import annotations

import os
import stat
from importlib.metadata import version
from pathlib import Path

import pytest
from hand_written import load, program
from mlir_opt import mlir_opt, needs_mlir_opt
from opt_runs import DOUBLE, refusal, vtac_opt
from run_programs import run_program

BAD = """func.func @wrong(%a: i32) {
  %0 = "arith.addi"(%a) : (i32) -> i32
  func.return
}
"""


def test_prints_the_module() -> None:
    outcome = vtac_opt(text=DOUBLE)
    assert (outcome.status, outcome.stderr) == (0, b"")
    assert outcome.stdout.decode().startswith("builtin.module {\n  func.func @double")


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


def test_bytecode_is_refused_with_how_to_print_it() -> None:
    outcome = run_program(["vtac-opt"], b"ML\xefR\r", merge=False)
    assert outcome.status == 1
    said = "'<stdin>' is MLIR bytecode: print it as text first, with 'mlir-opt FILE -o TEXT.mlir'"
    assert said in outcome.stderr.decode()


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
    assert "Traceback" in vtac_opt("-p", "dce", "--debug", text=DOUBLE).stderr.decode()


def test_output_file_appears_whole(tmp_path: Path) -> None:
    output = tmp_path / "out.mlir"
    assert vtac_opt("-o", str(output), text=DOUBLE).stdout == b""
    assert output.read_bytes() == vtac_opt(text=DOUBLE).stdout
    assert os.listdir(tmp_path) == ["out.mlir"]


@pytest.mark.parametrize("arguments", [[], ["-p", "nonsense"], ["--split-input-file"]])
def test_failure_leaves_the_output_file_alone(tmp_path: Path, arguments: list[str]) -> None:
    output = tmp_path / "out.mlir"
    output.write_text("precious")
    outcome = vtac_opt("-o", str(output), *arguments, text=f"{DOUBLE}\n// -----\n{BAD}" if arguments else BAD)
    assert outcome.status == 1
    assert output.read_text() == "precious"
    assert os.listdir(tmp_path) == ["out.mlir"]


def test_output_file_keeps_its_permissions_and_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target.mlir", tmp_path / "link.mlir"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert vtac_opt("-o", str(link), text=DOUBLE).status == 0
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text().startswith("builtin.module")


def test_output_may_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "program.mlir"
    path.write_text(DOUBLE)
    assert vtac_opt(str(path), "-o", str(path)).status == 0
    assert path.read_text().startswith("builtin.module")


def test_every_chunk_is_processed_and_keeps_its_lines() -> None:
    outcome = vtac_opt("--split-input-file", text=f"{BAD}// -----\n{DOUBLE}// -----\n{BAD}")
    assert outcome.status == 1
    lines = outcome.stderr.decode().splitlines()
    assert [line.split(" ")[0] for line in lines if line[0] != " "] == ["<stdin>:2:8:", "<stdin>:12:8:"]
    assert outcome.stdout.decode().count("builtin.module") == 1


def test_unregistered_operations_need_the_flag() -> None:
    text = '"no_dialect.op"() : () -> ()\n'
    assert "unknown dialect 'no_dialect'" in refusal(text=text)
    assert vtac_opt("--allow-unregistered-dialect", text=text).status == 0


def test_locations_can_be_printed_and_stated() -> None:
    text = 'func.func @f() {\n  func.return loc("elsewhere.py":7:9)\n}\n'
    printed = vtac_opt("--print-debuginfo", text=text).stdout.decode()
    assert 'loc("elsewhere.py":7:9)' in printed
    assert 'loc("<stdin>":1:1)' in printed


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


def test_a_field_over_its_width_is_shown_where_it_comes_from(tmp_path: Path) -> None:
    source = tmp_path / "wide.mlir"
    source.write_text(program(load(x_size=70000)))
    outcome = vtac_opt(str(source), "-t", "vta-asm")
    message, line, caret = outcome.stderr.decode().splitlines()
    assert (outcome.status, outcome.stdout) == (1, b"")
    assert message == (
        f"{source}:2:1: error: 'vta.load_2d': cannot encode instruction 0 (LOAD): field x_size is 70000; it has 16 "
        "bits, an integer from 0 to 65535 is required"
    )
    assert line.split("|", 1)[-1].strip().startswith("vta.load_2d inp %a")
    assert caret.strip(" |").startswith("^")
