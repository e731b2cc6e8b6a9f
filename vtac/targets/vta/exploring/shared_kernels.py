"""Layers that were lowered for one machine and are the same on others: those that differ in memories for data alone.

Under one tiling a layer becomes the same program wherever it fits: sizes of INP, WGT and ACC decide which tilings fit,
depths of queues and bursts nothing of it. What is linked from such layers is proven safe for the machine itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.target import config_of
from vtac.dialects.vta.declared import CONFIG
from vtac.errors import VtacError
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.kernel_cache import KernelCache
from vtac.targets.vta.schedules.kernel_forms import form_of, function_of_form
from vtac.targets.vta.schedules.kernel_lowering import kernel_task
from vtac.targets.vta.schedules.known_kernels import KnownKernels, restored
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.identity import tiling_text

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp

    from vtac.targets.vta.schedules.known_tilings import KnownTilings
    from vtac.targets.vta.schedules.lowering import Lowering

_APART = ("LOG_INP_BUFF_SIZE", "LOG_WGT_BUFF_SIZE", "LOG_ACC_BUFF_SIZE", "QUEUE_DEPTH", "OUTSTANDING_BURSTS")
"""Fields of a configuration that decide which tilings fit, and nothing else of a layer."""


@dataclass
class _Form:
    """The one layer of a function's form, None for another number of them; and its records by tiling."""

    layer: Layer | None
    records: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class SharedKernels(KnownKernels):
    """Layers by their form and tiling, of all machines that this process has lowered any for."""

    others: KernelCache | None = None
    """What processes beside this one have lowered, too."""

    def find(self, function: FuncOp, module: ModuleOp) -> tuple[dict[str, int], Lowering] | None:
        """As for one machine; a layer whose tiling is known and fits is lowered once for all of them."""
        form, tilings = form_of(function), self.tilings
        if form is None or tilings is None:
            return None
        task, config = kernel_task(form, module), config_of(module)
        shared = _shared_part(task)
        known = _form(shared)
        tiling = None if known.layer is None else tilings.find(known.layer, config)
        record = "" if tiling is None else self._recorded(known, shared, tiling_text(tiling))
        if not record:
            record = self.lowered(task)
            tiling = None if known.layer is None else tilings.find(known.layer, config)
            if tiling is not None:
                self._record(known, shared, tiling_text(tiling), record)
        return restored(form, record) if record else None

    def _recorded(self, known: _Form, shared: str, tiling: str) -> str:
        record = known.records.get(tiling, "")
        if not record and self.others is not None:
            record = known.records[tiling] = self.others.find(json.dumps([shared, tiling])) or ""
        return record

    def _record(self, known: _Form, shared: str, tiling: str, record: str) -> None:
        known.records[tiling] = record
        if self.others is not None:
            self.others.keep(json.dumps([shared, tiling]), record)


def shared_kernels(tilings: KnownTilings, folder: str) -> SharedKernels:
    """Layers for a machine; where a folder is named, those that other processes leave there as well."""
    return SharedKernels(None, tilings, others=KernelCache(Path(folder)) if folder else None)


def _shared_part(task: str) -> str:
    """A task with the hardware as far as lowering depends on it, tiling aside."""
    form, fields, acc_8bit = json.loads(task)
    if fields.get("ENCODING") != "chisel":
        fields = {name: value for name, value in fields.items() if name not in _APART}
    return json.dumps([form, fields, acc_8bit])


@lru_cache(maxsize=512)
def _form(task: str) -> _Form:
    form, fields, _ = json.loads(task)
    module = ModuleOp([function_of_form(form)])
    CONFIG.set(module, fields)
    try:
        layers = layers_of(Schedule(module))
    except VtacError:
        layers = []
    return _Form(layers[0] if len(layers) == 1 else None)
