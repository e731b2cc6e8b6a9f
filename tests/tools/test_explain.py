"""`vtac explain`: each kind of finding and fault has an example that provokes it."""

from __future__ import annotations

import pytest

from vtac.targets.vta.rules import RULES
from vtac.tools.fault_examples import EXAMPLES, SOUND, Example, messages
from vtac.tools.vtac import main


def test_every_kind_has_an_example() -> None:
    assert list(EXAMPLES) == list(RULES)


@pytest.mark.parametrize("kind", RULES)
def test_the_example_provokes_its_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", kind]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{kind}\n  rule      {RULES[kind].rule}\n")
    assert messages(EXAMPLES[kind])[kind] in printed


def test_the_program_that_examples_change_is_sound() -> None:
    assert messages(Example(tuple((line, 1) for line in SOUND))) == {}


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(RULES)


@pytest.mark.parametrize(("kind", "message"), [("rase", "did you mean 'race'?"), ("x", "the kinds are length, opcode")])
def test_an_unknown_kind_is_refused(kind: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", kind]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and f"unknown kind '{kind}'" in printed.err and message in printed.err
