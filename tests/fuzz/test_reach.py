"""What is reported as reached: changes and not mere runs, refusals by their site, and what nothing reached as well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

import vtac
from fuzz.campaign import Bounds, Case, Tally, run_cases
from fuzz.fingerprint import fingerprint
from fuzz.isolation import isolated
from fuzz.outcome import Outcome
from fuzz.reach import expected_reach, reach_by_kind, reach_tables, watching
from fuzz.sites import refusal_sites
from fuzz.targets import fuzz_target
from vtac.schedule import Schedule

ADD = """func.func @f(%a: tensor<2x16xi32>, %b: tensor<2x16xi32>) -> tensor<2x16xi32> {
  %e = tensor.empty() : tensor<2x16xi32>
  %r = linalg.add ins(%a, %b : tensor<2x16xi32>, tensor<2x16xi32>) outs(%e : tensor<2x16xi32>) -> tensor<2x16xi32>
  func.return %r : tensor<2x16xi32>
}
"""


def test_equal_modules_have_equal_fingerprints_whatever_their_names() -> None:
    assert fingerprint(vtac.parse(ADD)) == fingerprint(vtac.parse(ADD.replace("%a", "%x")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ins(%a, %b", "ins(%b, %a"),
        ("linalg.add", "linalg.sub"),
        ("2x16", "4x16"),
        ("@f", "@g"),
        ("func.func @f", "func.func private @f"),
    ],
)
def test_each_difference_of_modules_is_one_of_fingerprints(old: str, new: str) -> None:
    assert fingerprint(vtac.parse(ADD)) != fingerprint(vtac.parse(ADD.replace(old, new)))


def reached_by(work: Callable[[], object]) -> set[str]:
    """What work reaches, in a process of its own; the source is read before, once for all tests."""
    refusal_sites()

    def watched() -> Outcome:
        with watching() as reached:
            with suppress(vtac.VtacError):
                work()
            return Outcome("accepted", reach=tuple(reached))

    return set(isolated(watched).reach)


def test_passes_operations_and_opcodes_of_a_compiled_program_are_reached() -> None:
    reached = reached_by(lambda: vtac.compile(ADD))
    assert {"pass pack-device-functions", "operation vta.alu", "alu add", "directive schedule.compute_at"} <= reached
    assert "ran expand-groups" in reached
    assert "pass expand-groups" not in reached


def test_a_directive_that_only_looks_something_up_was_applied() -> None:
    reached = reached_by(lambda: Schedule(ADD).get_block("linalg.add", position=0))
    assert "applied schedule.get_block" in reached
    assert "directive schedule.get_block" not in reached


def test_a_directive_that_is_refused_was_not_applied() -> None:
    reached = reached_by(lambda: Schedule(ADD).get_block("none"))
    assert not any(name.startswith(("directive", "applied")) for name in reached)
    assert any(name.startswith("refusal passes/directives/handles.py:") for name in reached)


def test_a_refusal_is_reached_by_its_site() -> None:
    sites = [name for name in reached_by(lambda: vtac.compile(ADD, "cpu")) if name.startswith("refusal")]
    assert [site.split(":")[0] for site in sites] == ["refusal targets/registry.py"]
    assert sites[0].removeprefix("refusal ") in refusal_sites().values()


def test_what_nothing_reached_is_in_the_tables() -> None:
    found = reach_by_kind({"linalg": {"pass pack-for-vta": 3}, "text": {"pass pack-for-vta": 2, "fault hazard": 1}})
    assert found["pass"]["pack-for-vta"] == {"linalg": 3, "text": 2}
    assert found["pass"]["expand-groups"] == {}
    lines = reach_tables(found).splitlines()
    assert f"pass: 1 of {len(expected_reach()['pass'])} reached" in lines
    assert "        5 pack-for-vta                                 linalg 3, text 2" in lines
    assert (
        f"refusal: 0 of {len(expected_reach()['refusal'])} sites reached; by file, the most that are not first" in lines
    )


def test_a_campaign_counts_what_its_cases_reach() -> None:
    tally = Tally()
    for case, outcome in run_cases([Case(fuzz_target("launch"), seed) for seed in range(3)], Bounds(watch=watching)):
        tally.add(case.seed, outcome)
    assert tally.cases == 3
    assert any(name.startswith(("refusal files/", "refusal targets/cuda/")) for name in tally.reach)
