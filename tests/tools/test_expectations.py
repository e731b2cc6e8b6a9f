"""`--verify-diagnostics`: annotations against reports, in both directions."""

from __future__ import annotations

import pytest
from run_programs import Outcome, run_program

from vtac.text.reports import Report
from vtac.tools.expectations import mismatches, parse_expectations

BAD_LINE = '  %0 = "arith.addi"(%a) : (i32) -> i32\n'


def verify_diagnostics(text: str, *arguments: str) -> Outcome:
    return run_program(["vtac-opt", "--verify-diagnostics", *arguments], text.encode(), merge=False)


def function(body: str) -> str:
    return f"func.func @f(%a: i32) {{\n{body}  func.return\n}}\n"


@pytest.mark.parametrize(
    "body",
    [
        f"  // expected-error @+1 {{{{Expected 2 operands}}}}\n{BAD_LINE}",
        f"  // expected-error @below {{{{but got 1}}}}\n{BAD_LINE}",
        f"{BAD_LINE}  // expected-error @-1 {{{{but got 1}}}}\n",
        f"{BAD_LINE}  // expected-error @above {{{{but got 1}}}}\n",
        BAD_LINE.replace("\n", " // expected-error {{but got 1}}\n"),
        f"  // expected-error-re @+1 {{{{Expected {{{{[0-9]}}}} operands}}}}\n{BAD_LINE}",
        "",
    ],
)
def test_fulfilled_annotations_pass(body: str) -> None:
    outcome = verify_diagnostics(function(body))
    assert (outcome.status, outcome.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (BAD_LINE, ["<stdin>:2:8: error: unexpected error: 'arith.addi' does not verify: Expected 2 operands"]),
        (
            f"  // expected-error @+1 {{{{something else}}}}\n{BAD_LINE}",
            [
                "<stdin>:3:8: error: unexpected error: 'arith.addi' does not verify",
                '<stdin>:2:1: error: expected error "something else" on line 3 was not produced',
            ],
        ),
        (
            f"  // expected-error @+2 {{{{but got 1}}}}\n{BAD_LINE}",
            ["unexpected error", 'expected error "but got 1" on line 4 was not produced'],
        ),
        (
            f"  // expected-warning @+1 {{{{but got 1}}}}\n{BAD_LINE}",
            ["unexpected error", 'expected warning "but got 1"'],
        ),
        (
            f"  // expected-error @unknown {{{{but got 1}}}}\n{BAD_LINE}",
            ["unexpected error", "without a line was not produced"],
        ),
        ("  // expected-error @+1 {{never}}\n", ['expected error "never" on line 3 was not produced']),
        ("  // expected-error {never}\n", ["<stdin>:2:1: error: malformed annotation"]),
        ("  // expected-error-re {{ {{[}} }}\n", ["<stdin>:2:1: error: malformed annotation"]),
    ],
)
def test_mismatches_fail_with_each_difference(body: str, messages: list[str]) -> None:
    outcome = verify_diagnostics(function(body))
    assert outcome.status == 1
    lines = outcome.stderr.decode().splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert message in line


def test_each_annotation_takes_one_report() -> None:
    text = "// expected-error @+1 {{twice}}\n\n"
    reports = [Report("error", "said twice", "x:2:1"), Report("error", "said twice", "x:2:5")]
    assert [str(problem) for problem in mismatches(text, "x", reports)] == [
        "x:2:5: error: unexpected error: said twice"
    ]


def test_parse_errors_can_be_expected() -> None:
    outcome = verify_diagnostics("// expected-error @+1 {{unknown dialect 'nodialect'}}\nnodialect.op\n")
    assert (outcome.status, outcome.stderr) == (0, b"")


def test_chunks_are_compared_one_by_one() -> None:
    good = function(f"  // expected-error @+1 {{{{but got 1}}}}\n{BAD_LINE}")
    text = f"// only a comment\n\n// -----\n\n{good}\n// -----\n{function(BAD_LINE)}"
    outcome = verify_diagnostics(text, "--split-input-file")
    assert outcome.status == 1
    assert outcome.stderr.decode().startswith("<stdin>:13:8: error: unexpected error")
    assert outcome.stderr.count(b"\n") == 1


def test_above_and_below_skip_other_annotations() -> None:
    text = "op\n// expected-note @above {{a}}\n// expected-error @above {{b}}\n// expected-error @below {{c}}\nop\n"
    expectations, problems = parse_expectations(text, "x")
    assert problems == []
    assert [(expectation.severity, expectation.line) for expectation in expectations] == [
        ("note", 1),
        ("error", 1),
        ("error", 5),
    ]


def test_notes_need_no_annotation() -> None:
    assert mismatches("", "x", [Report("note", "by the way", "x:1:1")]) == []
