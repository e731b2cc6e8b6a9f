"""The reference has an entry for all that there is, and pages link to what there is."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest
from sitegen import machine, tensor_machine
from sitegen.cells import cells_of
from sitegen.commands import commands_page
from sitegen.dialects import dialect_pages, own_operations
from sitegen.directives import arguments_table, directives_page
from sitegen.examples import cases_of, gives_the_same, last_step
from sitegen.findings import findings_page
from sitegen.hardware import hardware_page
from sitegen.machine import instruction_words
from sitegen.pages import require_examples, written_pages
from sitegen.python_names import python_page
from sitegen.text import fence, prose, table

import vtac
from vtac.dialects import get_all_dialects
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule import DIRECTIVES
from vtac.dialects.schedule.arguments import directive_name
from vtac.dialects.schedule.script import DirectiveOp
from vtac.targets.vta.rules import RULES
from vtac.tools.vtac import COMMANDS
from vtac.universe import get_all_passes

ROOT = Path(__file__).resolve().parents[2]


def headings(text: str) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def test_every_public_name_has_an_entry() -> None:
    text = python_page()
    assert {
        name for name in vtac.__all__ if not re.search(rf"^:+{{py:\w+}} vtac\.{name}\b", text, re.MULTILINE)
    } == set()


def test_every_directive_has_an_entry_with_an_example() -> None:
    text = directives_page(ROOT)
    assert {directive_name(kind) for kind in DIRECTIVES} <= headings(text)
    lookups = sum(directive_name(kind).startswith("get_") for kind in DIRECTIVES)
    assert text.count("For example, ") == text.count("and gave the same") == len(DIRECTIVES) - lookups


def test_every_pass_has_a_text() -> None:
    assert [name for name, load in get_all_passes().items() if not load().__doc__] == []


@pytest.mark.parametrize("kind", DIRECTIVES, ids=directive_name)
def test_arguments_are_those_of_the_signature(kind: type[DirectiveOp]) -> None:
    rows = [line.split(" | ") for line in arguments_table(kind).splitlines()[2:]]
    named = [row[0].strip("| `") for row in rows if row[1] != "what it gives"]
    assert named == list(signature(getattr(vtac.Schedule, directive_name(kind))).parameters)[1:]
    assert all(row[1] != "an attribute" for row in rows)


def test_every_directive_pass_and_operation_has_an_example(tmp_path: Path) -> None:
    require_examples(ROOT)
    with pytest.raises(RuntimeError, match=r"^no example in the reference: get_block, .*, lower-to-vta, .*wmma\.fragm"):
        require_examples(tmp_path)


def test_every_operation_has_an_entry() -> None:
    pages = dialect_pages(ROOT)
    for name, load in get_all_dialects().items():
        assert {op.name for op in own_operations(load())} <= headings(pages[f"dialect-{name}.md"])
    assert "unknown memory '{self.memory.data}'; it is one of" in pages["dialect-vta.md"]


def test_every_command_and_kind_and_field_has_an_entry() -> None:
    assert {f"vtac {name}" for name in COMMANDS} <= headings(commands_page())
    assert set(RULES) <= headings(findings_page())
    text = hardware_page()
    assert [name for name in VTAConfig().to_fields() if f"`{name}`" not in text] == []
    assert "| `memory_latency` | 16 | 16 | at least 0 |" in text


def test_words_are_drawn_from_the_table_of_fields() -> None:
    text = instruction_words()
    assert "| 57:26 | `dram_base` | 32 | 0 to 4,294,967,295 |" in text
    assert text.count("<svg") == 4 and "Bits of GEMM: opcode in 2:0" in text


def test_formulas_of_the_page_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "| `gemm uops 0:1, for 1 (dst+0 src+0 wgt+0), for 16 (dst+1 src+1 wgt+0)` | 23 |" in machine.worked_cycles()
    monkeypatch.setattr(machine, "_WORKED", (("a load", "load.inp sram 0 <- dram 0x100, 1 x 16 stride 16", 54),))
    with pytest.raises(ValueError, match=r"stride 16: 55 cycles by the model, 54 by the formula$"):
        machine.worked_cycles()


def test_banks_meet_as_the_model_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [tensor_machine.meeting(pitch, 16) for pitch in (32, 48, 64, 80, 128, 144)] == [2, 1, 4, 1, 8, 1]
    assert "| 32 | 40 | at full rate | in 2 times the cycles | at full rate, 4 apart |" in tensor_machine.banks()

    def thrice(row: int) -> int:
        return 3 if row else 1

    monkeypatch.setattr(tensor_machine, "_modelled", thrice)
    with pytest.raises(ValueError, match=r"^rows of 32 bytes: 1 threads meet by the page, 3 by the model$"):
        tensor_machine.banks()


def test_a_multiprocessor_holds_what_the_page_says() -> None:
    assert "| 64 x 64 tile, three stages | 128 | 64 | 30,720 | 16 | 8 | 7 | 7 |" in tensor_machine.occupancy()
    assert "| f16 | 16 x 16 x 16 | 4 | 4 | f32 8, f16 4 |" in tensor_machine.fragments()
    assert "| 256 x 128 x 64 | 3 | 165,888 | 1626 |" in tensor_machine.pipelines()


def test_loads_share_the_bus_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "| side by side | 263 | 662 | 696 |" in machine.contention()
    monkeypatch.setattr(machine, "_SHARED", (("one", "load.acc sram 0 <- dram 0, 1 x 1 stride 1\nfinish\n", 0, 30),))
    with pytest.raises(ValueError, match=r"^one: \[0, 31\] cycles by the model, \[0, 30\] by the page$"):
        machine.contention()


def test_every_page_is_listed_and_filled_in() -> None:
    pages = written_pages(ROOT)
    assert all("made from the code:" not in text for text in pages.values())
    listed = set(re.findall(r"^([\w/-]+)$", pages["index.md"], re.MULTILINE))
    assert {name.removesuffix(".md") for name in pages} - {"index"} <= listed
    assert {f"reference/{name.removesuffix('.md')}" for name in dialect_pages(ROOT)} <= listed


def test_a_case_that_computes_something_else_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "split.mlir"
    path.write_text((ROOT / "tests" / "passes" / "directives" / "split.mlir").read_text())
    case = cases_of(path)[0]
    step = last_step(case, "split")
    assert step is not None and step.directive.startswith("split(i0, ") and gives_the_same(case)
    assert last_step(case, "fuse") is None


def test_cells_keep_their_lines() -> None:
    cells = cells_of('"""About."""\n\n# %% [markdown]\n# # Title\n#\n# Text\n\n# %% tags=["solution"]\nx = 1\n')
    assert [(cell.text, cell.line, cell.is_text, cell.is_solution) for cell in cells] == [
        ("# Title\n\nText", 4, True, False),
        ("x = 1", 9, False, True),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b`", "a `b`\n"),
        ("Does.\n\nrequires: x\n          y\nensures:  z", "Does.\n\n* **requires** x y\n* **ensures** z\n"),
        ("Does.\n\nbefore    after\n", "Does.\n\n```text\nbefore    after\n```\n\n"),
    ],
)
def test_docstrings_become_markdown(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_fences_and_cells_keep_what_they_hold() -> None:
    assert fence("a ``` b") == "````text\na ``` b\n````\n"
    assert table(("x",), [("a|b",)]) == "| x |\n|---|\n| a\\|b |\n"
