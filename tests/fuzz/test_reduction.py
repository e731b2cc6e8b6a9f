"""Each target's cases shrink to what a fault needs, when one is planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import NoReturn, cast

import pytest
from run_programs import Outcome as ProgramOutcome

from fuzz.case import Payload, draw_case
from fuzz.isolation import isolated
from fuzz.reduction import reduce_case
from fuzz.targets import fuzz_target
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError

Plant = Callable[[pytest.MonkeyPatch], None]


def reduced(name: str, monkeypatch: pytest.MonkeyPatch, plant: Plant, is_fit: Callable[[Payload], bool]) -> Payload:
    """The first failing case of a target that is fit for the test, reduced while the fault is planted."""
    target = fuzz_target(name)
    plant(monkeypatch)
    for seed in range(400):
        case = draw_case(target, seed)
        if is_fit(case):
            outcome = isolated(lambda case=case: target.judge(case))
            if outcome.status == "failed":
                return reduce_case(target, case, outcome.signature)[0]
    raise AssertionError("no case shows the fault")


def refusing(word: str) -> Callable[..., object]:
    """A function that fails when any of its arguments holds a word."""

    def faulty(*args: object, **named: object) -> NoReturn:
        if any(word in str(value) for value in (*args, *named.values())):
            raise RuntimeError("planted")
        raise LookupError("not the fault that was planted")

    return faulty


def test_assembly_shrinks_to_the_word_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.assembly.assemble", refusing("store.out"))

    found = reduced("assembly", monkeypatch, plant, lambda case: "store.out" in cast(str, case["text"]))
    assert found["text"] == "store.out"


def test_a_text_shrinks_to_the_line_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.text.vtac.parse", refusing("linalg.generic"))

    def is_fit(case: Payload) -> bool:
        text = cast(str, case["text"])
        return text.count("linalg.generic") == text.split().count("linalg.generic") == 1

    assert reduced("text", monkeypatch, plant, is_fit)["text"] == "linalg.generic"


def test_a_script_shrinks_to_the_line_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.script._is_read", _read_anything)
        patch.setattr("fuzz.targets.script.vtac.compile", refusing("schedule.tensorize"))

    found = reduced("script", monkeypatch, plant, lambda case: "schedule.tensorize" in cast(str, case.get("text", "")))
    assert found["text"] == "schedule.tensorize"


def _read_anything(script: str) -> bool:
    return True


def test_a_configuration_shrinks_to_the_field_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.configuration._judge_round_trips", _refuse_blocks_of_four)

    def is_fit(case: Payload) -> bool:
        return cast(Payload, case["fields"]).get("LOG_BLOCK") == 2

    found = cast("dict[str, object]", reduced("configuration", monkeypatch, plant, is_fit)["fields"])
    default = VTAConfig().to_fields()
    assert len([name for name in default if found[name] != default[name]]) <= 3  # smaller tiles need smaller buffers
    assert found["LOG_BLOCK"] == 2


def _refuse_blocks_of_four(config: VTAConfig) -> None:
    if config.log_block == 2:
        raise RuntimeError("planted")


def test_a_command_line_shrinks_to_the_option_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(words: list[str], stdin: bytes, *, merge: bool) -> ProgramOutcome:
        return ProgramOutcome(3 if "--acc-8bit" in words else 0)

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.command.run_program", faulty)

    found = reduced("command", monkeypatch, plant, lambda case: "--acc-8bit" in cast("list[str]", case["words"]))
    assert (found["words"], found["stdin"]) == (["--acc-8bit"], "")


def test_a_stream_shrinks_to_the_length_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_: object, payload: Payload) -> NoReturn:
        raise RuntimeError("planted") if cast(int, payload["length"]) >= 5 else LookupError("another")

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.stream.StreamTarget._legal", faulty)

    found = reduced("stream", monkeypatch, plant, lambda case: case["kind"] == "legal" and bool(case["change"]))
    assert {name: found[name] for name in ("length", "bits", "strict", "change")} == {
        "length": 5, "bits": 0, "strict": False, "change": "",
    }  # fmt: skip


def test_a_saved_program_shrinks_to_the_change_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(path: object, kind: str, random: object) -> None:
        if kind == "truncate":
            raise RuntimeError("planted")

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.artefact.change_file", faulty)

    def kinds(case: Payload) -> list[object]:
        return [edit["kind"] for edit in cast("list[dict[str, object]]", case["edits"])]

    found = reduced("artefact", monkeypatch, plant, lambda case: len(kinds(case)) == 2 and "truncate" in kinds(case))
    assert (kinds(found), found["sealed"], found["program"]) == (["truncate"], False, 0)


def test_a_network_shrinks_to_the_operation_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.linalg.vtac.compile", refusing("linalg.transpose"))

    def operations(case: Payload) -> list[object]:
        return [node["op"] for node in cast("list[dict[str, object]]", case["nodes"])]

    def is_fit(case: Payload) -> bool:
        return len(operations(case)) == 3 and "transpose" in operations(case)

    found = reduced("linalg", monkeypatch, plant, is_fit)
    (given, *_) = cast("list[dict[str, list[int]]]", found["inputs"])
    assert (operations(found)[-1], prod(given["shape"]), found["returned"]) == ("transpose", 1, [])
    assert len(operations(found)) <= 2  # what gives it its rank may stay


def test_a_schedule_shrinks_to_the_directive_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> NoReturn:
        raise RuntimeError("planted")

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.directives.GrowingSchedule.fuse", faulty)

    def is_fit(case: Payload) -> bool:
        is_small = not cast(str, case["program"]).startswith(("vta ", "cuda "))
        return is_small and "fuse" in cast("list[str]", case["directives"]) and cast(int, case["count"]) > 3

    found = reduced("schedule", monkeypatch, plant, is_fit)
    assert (found["directives"], found["count"], found["followed"]) == (["fuse"], 1, 0)


def test_a_contraction_shrinks_to_the_step_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.cuda.vtac.compile", refusing("arith.max"))

    def steps(case: Payload) -> list[object]:
        return [step["op"] for step in cast("list[dict[str, object]]", case["tail"])]

    def is_fit(case: Payload) -> bool:
        is_product = cast("dict[str, object]", case["node"])["kind"] == "product"
        return is_product and len(steps(case)) > 2 and "max" in steps(case)

    found = reduced("cuda", monkeypatch, plant, is_fit)
    assert (steps(found), found["edits"]) == (["max"], [])
    assert set(cast("dict[str, list[int]]", found["node"])["sizes"]) == {1}


def test_a_launch_record_shrinks_to_a_change_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(folder: str) -> NoReturn:
        try:
            json.loads((Path(folder) / "launch.json").read_bytes())
        except ValueError:
            raise RuntimeError("planted") from None
        raise ProgramError("read, and refused")

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("fuzz.targets.launch.load_cuda_program", faulty)

    found = reduced("launch", monkeypatch, plant, lambda case: case["kind"] == "truncate")
    assert (found["kind"], found["file"]) == ("truncate", "launch.json")
    assert cast(int, found["seed"]) < 20


def test_reducing_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.targets.assembly.assemble", refusing(""))
    target = fuzz_target("assembly")
    case = draw_case(target, 0)
    signature = isolated(lambda: target.judge(case)).signature
    assert reduce_case(target, case, signature, seconds=0.0) == (case, 0)
    assert reduce_case(target, case, signature, budget=3)[1] <= 3
