"""Measuring on a borrowed GPU: turns, budgets and records; the benchmark as a whole on the stub."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmark_scripts import benchmark_script
from stub_gpu import StubGpu

from vtac.cuda import gpu_architecture, load
from vtac.errors import LaunchError
from vtac.targets.cuda.gpu.measuring import Budget, Measurement, in_turns
from vtac.targets.cuda.program import CudaProgram


class Clock:
    """Time that passes when something is measured."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sample(self, seconds: float) -> float:
        self.now += seconds
        return seconds * 1000


def test_contenders_take_turns_until_the_budget_ends() -> None:
    clock = Clock()
    order: list[str] = []

    def sample(name: str, seconds: float) -> float:
        order.append(name)
        return clock.sample(seconds)

    contenders = {"a": lambda: sample("a", 1), "b": lambda: sample("b", 2)}
    found = in_turns(contenders, 5, Budget(10, clock))
    assert order == ["a", "b"] * 3  # a fourth round would end after 12 seconds
    assert found == {"a": (1000.0,) * 3, "b": (2000.0,) * 3}
    assert len(in_turns(contenders, 5, Budget(1, clock))["a"]) == 1


def test_budgets_and_measurements_that_are_none() -> None:
    with pytest.raises(LaunchError, match="a budget of 0 seconds: a positive number is required"):
        Budget(0)
    with pytest.raises(LaunchError, match=r"fast on product: times of \[\] are no measurement"):
        measurement(())


def measurement(times: tuple[float, ...], error: float = 0.0) -> Measurement:
    return Measurement("product", "fast", "a stub", "sm_90", "none", "float32", False, 4_000_000_000, times, error, 0.5)


def test_a_record_says_what_follows_from_it() -> None:
    fields = json.loads(measurement((4.0, 1.0, 2.0), 0.75).to_json())
    assert (fields["median"], fields["tera_operations"], fields["is_right"]) == (2.0, 2.0, False)
    assert fields["registers"] is None


def test_the_benchmark_has_each_kind_of_instructions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = benchmark_script("tensor_core_programs", monkeypatch)
    product, narrow = (benchmark.Work(kind, (128, 128, 128)) for kind in (benchmark.PRODUCT, benchmark.NARROW))
    found = dict(benchmark.programs(product, gpu_architecture("sm_90a")))
    assert list(found) == ["seed", "fast", "mma.sync", "wgmma", "tma", "tma, clusters of 2"]
    assert "wgmma_m64n" in found["wgmma"].text
    assert "tma_load_2d(" in found["tma"].text
    placed = benchmark.makers(narrow, gpu_architecture("sm_90a"))
    assert [name for name in placed if name.startswith("wgmma")] == [f"wgmma {place}" for place in range(4)]
    assert "wgmma_m64n" in placed["wgmma 3"]().text
    assert [name for name in placed if name.startswith("tma")] == [f"tma {place}" for place in range(4)]
    assert "tma_load_2d(" in placed["tma 3"]().text
    assert capsys.readouterr().err == ""
    assert list(dict(benchmark.programs(product, gpu_architecture("sm_80")))) == ["seed", "fast", "mma.sync"]
    assert capsys.readouterr().err.splitlines() == [
        "product 128x128x128, wgmma: wgmma_schedule: sm_80 has no wgmma, which only sm_90a has; compile for sm_90a, "
        "or use mma_schedule or the default one",
        *(
            f"product 128x128x128, {name}: tma_schedule: sm_80 has no bulk copies of tensors; sm_90 and later have"
            for name in ("tma", "tma, clusters of 2")
        ),
    ]


def test_the_benchmark_measures_what_was_prepared(
    gpu: StubGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = benchmark_script("tensor_cores", monkeypatch)

    def works(sizes: list[int]) -> list[object]:
        return [benchmark.Work("product", (size, size, size)) for size in sizes]

    monkeypatch.setattr(benchmark, "works", works)
    monkeypatch.setattr(benchmark, "_FLUSH_BYTES", 4096)
    prepared, record = tmp_path / "prepared", tmp_path / "record.jsonl"
    assert benchmark.main(["--prepare", str(prepared), "--arch", "sm_90", "--sizes", "64"]) == 0
    saved = load(prepared / "000")
    assert isinstance(saved, CudaProgram)
    gpu.execute(saved, launches=1)
    benchmark_arguments = ["--prepared", str(prepared), "--rounds", "2", "--record", str(record)]
    (prepared / "programs.json").write_text(json.dumps(json.loads((prepared / "programs.json").read_text())[:1]))
    assert benchmark.main(benchmark_arguments) == 0
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(one["program"], one["flushed"], len(one["milliseconds"])) for one in lines] == [
        ("seed", False, 2),
        ("seed", True, 2),
    ]
    assert all(one["is_right"] and one["device"] == "a stub" for one in lines)
    assert not gpu.held
    assert benchmark.main([*benchmark_arguments, "--budget", "1"]) == 0
    assert re.search("is left out: [01] seconds are left", capsys.readouterr().err)
    assert benchmark.main(["--prepared", str(tmp_path / "nothing")]) == 1
    assert "programs.json: No such file or directory; make it with --prepare" in capsys.readouterr().err
