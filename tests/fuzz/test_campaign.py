"""The campaign itself: cases are the same everywhere, failures are told apart, reduced and stored; the corpus holds."""

from __future__ import annotations

import json
import mmap
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

import pytest

from fuzz.campaign import Bounds, Tally, run_campaign, shares
from fuzz.case import Payload, draw_case
from fuzz.isolation import allow_reservations, isolated
from fuzz.mutations import mutated_until
from fuzz.outcome import MismatchError, Outcome
from fuzz.report import bar, campaign_table, failure_lines
from fuzz.storage import KNOWN, known_signatures, store_failures
from fuzz.targets import TARGETS, fuzz_target
from vtac.tools.vtac import main

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
    tally = run_campaign(fuzz_target(name), range(2, 4))
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
    tally = run_campaign(target, range(20), Bounds(jobs=2))
    assert set(tally.failures) == {"mismatch: seven"}
    assert [line.split()[0] for line in failure_lines("numbers", tally, set())] == ["NEW"]
    assert [line.split()[0] for line in failure_lines("numbers", tally, {"mismatch: seven"})] == ["known"]
    (path,) = store_failures(target, tally, tmp_path, reduce=True)
    assert json.loads(path.read_text())["payload"] == {"items": [7]}


class Undrawable(Numbers):
    """A target that cannot be drawn."""

    name = "undrawable"

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        raise LookupError("no such number")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "it needs a 'target', one of"),
        ('{"target": "os", "payload": {}}', "it needs a 'target'"),
    ],
)
def test_what_is_no_stored_case_is_one_message(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text(text)
    assert main(["fuzz", "linalg", "--replay", str(tmp_path / "bad.json")]) == 1
    assert f"bad.json' is no stored case: {problem}" in capsys.readouterr().err


def test_the_listed_failures_are_read() -> None:
    listed = [line for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")]
    assert sum(len(known_signatures(name)) for name in TARGETS) == len(set(listed))


def test_a_case_that_cannot_be_drawn_is_a_failure_with_its_seed(tmp_path: Path) -> None:
    tally = run_campaign(Undrawable(), [3])
    assert list(tally.failures.values()) == [[3]]
    (path,) = store_failures(Undrawable(), tally, tmp_path, reduce=True)
    record = json.loads(path.read_text())
    assert record["signature"].startswith("LookupError at")
    assert (record["seed"], "payload" in record) == (3, False)


def test_cases_are_shared_out_by_weight() -> None:
    assert shares(100, {"dear": 1, "cheap": 4}) == {"dear": 20, "cheap": 80}
    assert shares(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert shares(1, {"a": 1, "b": 999}) == {"a": 1, "b": 1}
    assert sum(shares(2000, TARGETS).values()) == 2000


def test_the_table_has_a_row_per_target_and_their_sum() -> None:
    tally = Tally()
    tally.add(5, Outcome("accepted", seconds=1.25))
    tally.add(6, Outcome("failed", "hang", seconds=0.5))
    lines = campaign_table({"linalg": tally, "text": Tally()}).splitlines()
    assert [line.split("|")[1].strip() for line in lines if "-" * 5 not in line] == ["target", "linalg", "text", "all"]
    assert [cell.strip() for cell in lines[2].split("|")[2:-2]] == ["2", "1", "0", "1", "2"]
    assert "1.2 s (seed 5)" in lines[2]


def test_the_bar_says_what_is_done_what_failed_and_what_is_left() -> None:
    assert bar(500, 2000, 1, 60.0, width=8) == "[##......] 500 of 2,000, 1 failed, 3:00 left  "


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


def _reserve(bytes_: int) -> Outcome:
    with mmap.mmap(-1, bytes_):
        return Outcome("accepted")


def _reserve_after_asking() -> Outcome:
    allow_reservations()
    return _reserve(4 << 30)


def test_addresses_are_bounded_until_a_case_says_that_it_reserves_many() -> None:
    assert isolated(lambda: _reserve(1 << 30)).status == "accepted"
    assert isolated(lambda: _reserve(4 << 30)).status == "failed"
    assert isolated(_reserve_after_asking).status == "accepted"


def test_most_changed_texts_are_read() -> None:
    def is_read(text: str) -> bool:
        return text.count("(") == text.count(")")

    random, text = Random(0), "(a b) (c (d e)) f(g)\n" * 4
    found = [mutated_until(random, text, 5, is_read) for _ in range(100)]
    assert sum(map(is_read, found)) > 75
    assert len(set(found)) > 90
