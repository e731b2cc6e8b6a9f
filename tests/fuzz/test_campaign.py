"""The campaign itself: cases are the same everywhere, failures are told apart, reduced and stored; the corpus holds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

import pytest

from fuzz.campaign import Bounds, run_campaign, store_failures, table
from fuzz.case import Payload, draw_case
from fuzz.isolation import isolated
from fuzz.outcome import MismatchError, Outcome
from fuzz.targets import TARGETS, fuzz_target

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


class Numbers:
    """A target whose cases fail when they hold the number 7."""

    name = "numbers"
    features = ("seven",)

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        return {"items": [7 if "seven" in features and i == 5 else 1 for i in range(8)]}

    def judge(self, payload: Payload) -> Outcome:
        if 7 in cast("list[int]", payload["items"]):
            raise MismatchError("seven", "found")
        return Outcome("accepted")

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        items = cast("list[int]", payload["items"])
        for place in range(len(items)):
            yield {"items": [*items[:place], *items[place + 1 :]]}


@pytest.mark.parametrize("name", TARGETS)
def test_cases_are_reproducible_plain_data(name: str) -> None:
    target = fuzz_target(name)
    for seed in range(3):
        case = draw_case(target, seed)
        assert json.loads(json.dumps(case)) == case
        assert draw_case(target, seed) == case


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_cases_of_each_target_hold(name: str) -> None:
    tally = run_campaign(fuzz_target(name), Bounds(0, 4), ignored, ignored)
    assert tally.failures == {}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_corpus_holds(path: Path) -> None:
    record = json.loads(path.read_text())
    target = fuzz_target(record["target"])
    outcome = isolated(lambda: target.judge(record["payload"]))
    assert outcome.status == record["status"], outcome.detail
    assert record.get("message", "") in outcome.detail


def test_failures_are_grouped_reduced_and_stored(tmp_path: Path) -> None:
    target = Numbers()
    tally = run_campaign(target, Bounds(0, 20, jobs=2), ignored, ignored)
    assert set(tally.failures) == {"mismatch: seven"}
    assert "NEW" in table(target, tally, set())
    assert "NEW" not in table(target, tally, {"mismatch: seven"})
    (path,) = store_failures(target, tally, tmp_path, reduce=True)
    assert json.loads(path.read_text())["payload"] == {"items": [7]}


def ignored(*_: object) -> None:
    """Nobody looks."""


def _crash() -> Outcome:
    os.kill(os.getpid(), signal.SIGTERM)
    return Outcome("accepted")


def _busy() -> Outcome:
    end = time.process_time() + 5
    while time.process_time() < end:
        pass
    return Outcome("accepted")


def test_a_crash_is_a_failure_of_its_own() -> None:
    assert isolated(_crash).signature == "crash: SIGTERM"


def test_a_case_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.isolation.CPU_SECONDS", 1)
    assert isolated(_busy).signature == "hang"
