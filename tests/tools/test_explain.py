"""`vtac explain`: each kind of finding, fault and refusal that the code can raise has an example that provokes it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import vtac
from vtac.errors import VtacError
from vtac.limits import MEMORY
from vtac.targets.cuda.cpu.kinds import KERNEL_RULES
from vtac.targets.vta.rules import RULES
from vtac.tools.fault_examples import EXAMPLES, SOUND, Example, messages
from vtac.tools.refusals import REFUSALS, message
from vtac.tools.vtac import main

_ROOT = Path(vtac.__file__).parent


def _loaded_errors() -> list[type[VtacError]]:
    """All errors of the input that vtac's modules define; those that need other packages cannot be loaded here."""
    for module in pkgutil.walk_packages(vtac.__path__, "vtac."):
        if re.search(r"__main__|onnx_reader|torch_reader", module.name) is None:
            importlib.import_module(module.name)
    found: list[type[VtacError]] = [VtacError]
    for known in found:
        found += [one for one in known.__subclasses__() if one.__module__.startswith("vtac.")]
    return found


def test_every_kind_of_error_is_explained() -> None:
    classes = [known for known in _loaded_errors() if "kind" in vars(known)]
    assert len(classes) > 15
    own = {known.kind for known in classes}
    assert own <= REFUSALS.keys()
    unnamed = {known.__name__ for known in _loaded_errors() if known.kind == "error"}
    assert unnamed == {"VtacError", "ExecutionError", "CycleError", "DecodeError", "KernelFault"}


def test_every_kind_that_the_code_names_is_explained() -> None:
    known = {*RULES, *REFUSALS}
    for path in _ROOT.glob("targets/vta/**/*.py"):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(
            r'(?:ExecutionError|CycleError|DecodeError)\([^()]*(?:\([^()]*\)[^()]*)*, "([\w-]+)"', text
        ):
            assert call in known, f"{path}: {call}"
    sources = [path for path in (_ROOT / "targets" / "cuda" / "cpu").rglob("*") if path.suffix in (".cpp", ".h")]
    raised = {kind for path in sources for kind in re.findall(r'\bfail\(\s*"([\w-]+)"', path.read_text("utf-8"))}
    assert raised | {"timeout", "order-dependent"} == set(KERNEL_RULES)


def test_every_kind_of_a_stream_has_an_example() -> None:
    assert list(EXAMPLES) == list(RULES)


@pytest.mark.parametrize("kind", RULES)
def test_the_example_provokes_its_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", kind]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{kind}\n  rule      {RULES[kind].rule}\n")
    assert messages(EXAMPLES[kind])[kind] in printed


@pytest.mark.parametrize("kind", REFUSALS)
def test_the_example_is_refused(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    refusal = REFUSALS[kind]
    error = message(refusal)
    assert refusal.said if error is None else error.kind == kind
    assert main(["explain", kind]) == 0
    printed = capsys.readouterr().out
    assert f"{kind}, a refusal\n  meaning   {refusal.meaning}\n" in printed
    assert (refusal.said or str(error)).splitlines()[0] in printed


def test_what_is_said_of_a_limit_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTAC_MAX_MEMORY", "much")
    with pytest.raises(VtacError, match=re.escape(REFUSALS["limit"].said)):
        print(MEMORY.value)


def test_a_kind_of_both_machines_is_explained_for_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "race"]) == 0
    printed = capsys.readouterr().out
    assert "tokens order every two accesses of a tile" in printed and "race, of a CUDA kernel\n" in printed
    assert "add __syncthreads()" in printed


def test_the_program_that_examples_change_is_sound() -> None:
    assert messages(Example(tuple((line, 1) for line in SOUND))) == {}


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert listed == [*RULES, *KERNEL_RULES, *REFUSALS]


@pytest.mark.parametrize(("kind", "message"), [("rase", "did you mean 'race'?"), ("x", "the kinds are length, opcode")])
def test_an_unknown_kind_is_refused(kind: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", kind]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and f"unknown kind '{kind}'" in printed.err and message in printed.err
