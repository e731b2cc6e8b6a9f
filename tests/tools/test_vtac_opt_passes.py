"""Passes in `vtac-opt`: what they leave, how long they take, how they fail, what they say of themselves."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from opt_runs import DOUBLE, refusal, vtac_opt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.utils.exceptions import PassFailedException, VerifyException

from vtac.errors import CompileError, VtacError
from vtac.universe import get_all_passes

BAD = """func.func @wrong(%a: i32) {
  %0 = "arith.addi"(%a) : (i32) -> i32
  func.return
}
"""


def test_runs_passes_in_order() -> None:
    text = "func.func @f() {\n  %0 = arith.constant 1 : i32\n  func.return\n}\n"
    assert "arith.constant" not in vtac_opt("-p", "cse, dce", text=text).stdout.decode()


def test_ir_between_passes_goes_to_stderr() -> None:
    outcome = vtac_opt("-p", "canonicalize,cse,dce", "--print-between-passes", text=DOUBLE)
    errors = outcome.stderr.decode()
    assert [line for line in errors.splitlines() if line.startswith("//")] == [
        "// -----// IR after canonicalize //----- //",
        "// -----// IR after cse //----- //",
    ]
    assert outcome.stdout == vtac_opt(text=DOUBLE).stdout


def test_times_go_to_stderr() -> None:
    outcome = vtac_opt("-p", "cse", "--time-passes", text=DOUBLE)
    for phase in ("parse and verify", "cse", "verify after pass 'cse'", "print", "total"):
        assert phase in outcome.stderr.decode()
    assert outcome.stdout == vtac_opt(text=DOUBLE).stdout


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
        text = DOUBLE.replace("  %0", f"  // expected-error @+1 {{{{{str(error).split()[-1]}}}}}\n  %0")
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
