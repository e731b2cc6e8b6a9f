"""Device functions that a network was split into for one machine, and are the same on others.

Up to the schedules nothing depends on the sizes of memories but two choices, `SIZED`: which windows are folded, and
where maxima are taken first. So what comes before them is done once for all machines with the same tiles, and what
comes behind them once for all on which they come out alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.target import config_of, set_config
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.declared import CONFIG
from vtac.passes.vta.pool_accumulators import PoolAccumulators
from vtac.pipelines import Runner
from vtac.rewriting.copies import copy_of
from vtac.targets.vta.linking.plain import OWNED
from vtac.targets.vta.passes.choose_window_folds import ChooseWindowFolds
from vtac.targets.vta.passes.lower_device_functions import replace_contents
from vtac.targets.vta.plain_pipeline import plain_pipeline

SIZED: tuple[type[ModulePass], ...] = (ChooseWindowFolds, PoolAccumulators)
"""The passes before schedules that read sizes of memories."""
_APART = (
    "LOG_UOP_BUFF_SIZE",
    "LOG_INP_BUFF_SIZE",
    "LOG_WGT_BUFF_SIZE",
    "LOG_ACC_BUFF_SIZE",
    "QUEUE_DEPTH",
    "OUTSTANDING_BURSTS",
)


@dataclass
class _Front:
    """A network before the choices, and what it was split into after each; all without a configuration."""

    before: ModuleOp
    split: list[tuple[ModuleOp, ModuleOp]] = field(default_factory=list[tuple[ModuleOp, ModuleOp]])


@dataclass
class SharedFronts:
    """What one network was split into, on machines of all kinds of tiles."""

    _fronts: dict[str, _Front] = field(default_factory=dict[str, _Front])

    def split(self, runner: Runner, module: ModuleOp) -> None:
        """Bring the network in a module, which is always the same one, up to the last phase before schedules.

        Raises what passes raise.
        """
        config, passes = config_of(module), _passes()
        places = [number for number, one in enumerate(passes) if isinstance(one, SIZED)]
        first, last = places[0], places[-1] + 1
        front = self._fronts.get(_kind(config))
        if front is None:
            runner.run_passes(passes[:first], module)
            front = self._fronts[_kind(config)] = _Front(_bare(module))
        else:
            _become(module, front.before, config)
        runner.run_passes(passes[first:last], module)
        CONFIG.remove(module)
        known = next((done for chosen, done in front.split if chosen.is_structurally_equivalent(module)), None)
        if known is None:
            chosen = copy_of(module)
            set_config(module, config)
            runner.run_passes(passes[last:], module)
            runner.verify(module, f"after phase '{OWNED}'")
            front.split.append((chosen, _bare(module)))
        else:
            _become(module, known, config)


def _passes() -> Sequence[ModulePass]:
    return [one for phase in plain_pipeline().through(OWNED) for one in phase.passes]


def _kind(config: VTAConfig) -> str:
    """What a network is split by, memories aside."""
    fields: Mapping[str, object] = config.to_fields()
    if config.encoding != "chisel":
        fields = {name: value for name, value in fields.items() if name not in _APART}
    return json.dumps(fields)


def _become(module: ModuleOp, source: ModuleOp, config: VTAConfig) -> None:
    """Let a module be a copy of another, for a configuration."""
    copy = copy_of(source)
    module.attributes = dict(copy.attributes)
    replace_contents(module, copy)
    set_config(module, config)


def _bare(module: ModuleOp) -> ModuleOp:
    """A copy without a configuration."""
    copy = copy_of(module)
    CONFIG.remove(copy)
    return copy
