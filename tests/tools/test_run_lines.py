"""The in-process reading of `RUN:` lines, which must agree with lit's."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_lines import RunLine, RunLineError, execute, parse_command, read_run_lines
from run_programs import PROGRAMS


def run(command: str, tmp_path: Path, content: str = "func.func @f() {\n  func.return\n}\n") -> None:
    source = tmp_path / "program.mlir"
    source.write_text(content)
    execute(RunLine(1, command), source, tmp_path)


def test_continuation_lines_are_joined() -> None:
    text = "// RUN: vtac-opt %s \\\n// RUN:   -p cse | \\\n# RUN:  filecheck %s\n// RUN: cat %s\n"
    assert read_run_lines(text) == [RunLine(1, "vtac-opt %s -p cse | filecheck %s"), RunLine(4, "cat %s")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("func.func @f()", "the file has no RUN: line"),
        ("// REQUIRES: gpu\n// RUN: cat %s", "'REQUIRES:' is not understood here"),
        ("// XFAIL: *\n// RUN: cat %s", "'XFAIL:' is not understood here"),
    ],
)
def test_files_that_lit_would_treat_otherwise_are_refused(text: str, message: str) -> None:
    with pytest.raises(RunLineError, match=message):
        read_run_lines(text)


def test_commands_are_split_as_a_shell_does() -> None:
    command = "vtac-opt 'a b' -p 'cse{x=\"y|z\"}' 2>&1 < in | not filecheck x > out 2> err && cat y; cat z"
    (first, second), (third,), (fourth,) = parse_command(command)
    assert first.words == ["vtac-opt", "a b", "-p", 'cse{x="y|z"}']
    assert (first.stdin_file, first.merges_stderr) == ("in", True)
    assert (second.words, second.stdout_file, second.stderr_file) == (["not", "filecheck", "x"], "out", "err")
    assert (third.words, fourth.words) == (["cat", "y"], ["cat", "z"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("vtac-opt %s || cat %s", r"'\|\|' is not understood here"),
        ("vtac-opt %s >> %t", "'>>' is not understood here"),
        ("vtac-opt %s &", "'&' is not understood here"),
        ("vtac-opt %s | ", "a program is missing"),
        ("vtac-opt 'open", "No closing quotation"),
        ("python %s", f"'python' is not understood here; the programs are not, {', '.join(PROGRAMS)}"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, command: str, message: str) -> None:
    with pytest.raises(RunLineError, match=message):
        run(command, tmp_path)


def test_files_pipes_and_substitutions(tmp_path: Path) -> None:
    run("vtac-opt < %s > %t && vtac-opt %t -o %t.again && diff %t %T/program.mlir.tmp.again", tmp_path)
    run("cat %S/%basename_t | vtac-opt | filecheck %s", tmp_path, "func.func @f() { func.return }\n// CHECK: @f()\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("vtac-opt %s -p nonsense | cat", "unknown pass 'nonsense'"),
        ("vtac-opt %s | not filecheck %s --check-prefix FUNC", r"exit status \[0, 1\]"),
        ("vtac-opt %s | filecheck %s --check-prefix OTHER", 'Couldn\'t match "something else"'),
        ("vtac-opt %s | filecheck %s --check-prefix ABSENT", "No check strings found"),
        ("not vtac-opt %s", r"exit status \[1\]"),
        ("cat %s > %t; diff %s %t && vtac-opt --version > %t; diff %s %t", r"exit status \[1\]"),
    ],
)
def test_failures_in_any_part_of_a_pipe_fail(tmp_path: Path, command: str, message: str) -> None:
    content = "// FUNC: func.func\n// OTHER: something else\nfunc.func @f() {\n  func.return\n}\n"
    with pytest.raises(RunLineError, match=message):
        run(command, tmp_path, content)


def test_not_and_merged_streams(tmp_path: Path) -> None:
    run("not vtac-opt %s 2>&1 | filecheck %s", tmp_path, "nodialect.op\n// CHECK: :1:1: error: unknown dialect\n")
    run("not vtac-opt %s 2> %t; filecheck %s < %t", tmp_path, "nodialect.op\n// CHECK: error: unknown dialect\n")
