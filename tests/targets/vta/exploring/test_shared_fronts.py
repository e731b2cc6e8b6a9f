"""Networks that are split once for several machines are on each what compilation gives."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp

from vtac.dialects import hardware
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.pipelines import Instrumentation, Runner, Step
from vtac.preparation import prepare
from vtac.targets.vta.choosing import compile_with
from vtac.targets.vta.compilation import CompilationContext
from vtac.targets.vta.exploring.shared_fronts import SIZED, SharedFronts
from vtac.targets.vta.linking.plain import OWNED
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.target import VTA
from vtac.text.context import dialect_factories
from vtac.workloads.networks.network import Network

CONFIGS = [
    VTAConfig(),
    replace(VTAConfig(), log_wgt_buff_size=16),
    replace(VTAConfig(), log_acc_buff_size=11, log_inp_buff_size=12),
    replace(VTAConfig(), queue_depth=64),
    replace(VTAConfig(), log_block=5, log_acc_buff_size=15, log_inp_buff_size=14),
    replace(VTAConfig(), log_uop_buff_size=12),
]


def network() -> Network:
    """An image whose windows are worth folding."""
    made = Network("net", (1, 3, 14, 14), 0)
    value = made.convolution(made.input, "first", 16, kernel=7, stride=2)
    value = made.max_pool(value, "pool", kernel=3, stride=2)
    made.linear(made.flatten(value), "last", 10, last=True)
    return made


TEXT = network().text()
POOLED = (
    (Path(__file__).parents[3] / "passes/vta/pool_accumulators.mlir").read_text().split("// A sum that may wrap")[0]
)
"""A product whose sums' maxima are taken first, where accumulators have room."""


@pytest.mark.parametrize("text", [TEXT, POOLED], ids=["folded", "pooled"])
def test_streams_are_those_of_compilation(text: str) -> None:
    fronts = SharedFronts()
    for config in CONFIGS:
        shared = compile_with(prepare(text, VTA, config), None, split=fronts.split)
        own = compile_with(prepare(text, VTA, config), None)
        assert shared.summary == own.summary
        assert [one.instructions for one in shared.devices.values()] == [
            one.instructions for one in own.devices.values()
        ]


def _caller() -> str:
    """The file that reads an attribute: three functions below stand between."""
    frame = inspect.currentframe()
    for _ in range(3):
        frame = None if frame is None else frame.f_back
    return "" if frame is None else frame.f_code.co_filename


class _Readers(Instrumentation):
    """Notes which passes ask a configuration for sizes of memories."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._running: list[str] = []

    def before(self, step: Step, module: ModuleOp) -> None:
        self._running.append(step.name)

    def after(self, step: Step, module: ModuleOp) -> None:
        self._running.pop()

    def read(self, name: str) -> None:
        asked = name in ("capacity", "longest_load") or name.endswith("_buff_size")
        if asked and self._running and _caller() != hardware.__file__:
            self.found.add(self._running[-1])


def test_no_other_pass_reads_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = _Readers()
    fresh = VTAConfig(log_inp_buff_size=13)  # which no other test here has: what was counted before is not read again
    modules = [prepare(text, VTA, fresh) for text in (TEXT, POOLED)]

    def noted(config: VTAConfig, name: str) -> object:
        readers.read(name)
        return object.__getattribute__(config, name)

    monkeypatch.setattr(VTAConfig, "__getattribute__", noted)
    runner = Runner(CompilationContext.of(dialect_factories()), (readers,), verify_phases=False)
    for module in modules:
        runner.run_phases(plain_pipeline().through(OWNED), module)
    assert readers.found == {one.name for one in SIZED}


def test_what_is_the_same_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fronts, ran = SharedFronts(), list[str]()

    class Noted(Instrumentation):
        def before(self, step: Step, module: ModuleOp) -> None:
            ran.append(step.name)

    def split(config: VTAConfig) -> Mapping[str, object]:
        ran.clear()
        module = prepare(TEXT, VTA, config)
        fronts.split(Runner(CompilationContext.of(dialect_factories()), (Noted(),)), module)
        return module.attributes

    assert split(CONFIGS[0]).keys() == split(CONFIGS[1]).keys()
    assert ran == ["choose-window-folds", "fold-windows", "pool-accumulators"]


def test_what_passes_refuse_is_refused_each_time() -> None:
    text = TEXT.replace("xi8>", "xi64>", 1)
    fronts = SharedFronts()
    found: list[str] = []
    for config in CONFIGS[:2]:
        with pytest.raises(VtacError) as refusal:
            compile_with(prepare(text, VTA, config), None, split=fronts.split)
        found.append(str(refusal.value))
    assert found[0] == found[1]
