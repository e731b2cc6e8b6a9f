"""Device functions lowered by their form: what one process, or one compilation, has made, others take."""

from __future__ import annotations

import json
from collections.abc import Sequence

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.target import allows_acc_8bit, config_of
from vtac.collection import seldom_collected
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.declared import ACC_8BIT, CONFIG
from vtac.errors import VtacError
from vtac.schedule import TrialSchedule
from vtac.targets.vta.schedules.defaults import lowering_of
from vtac.targets.vta.schedules.kernel_forms import KernelForm, KernelRecord, function_of_form
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.work import work_of
from vtac.text.context import make_context
from vtac.text.plain_ir import UnwritableError


def kernel_task(form: KernelForm, module: ModuleOp) -> str:
    """All that the lowering of a form depends on, with the hardware of a module."""
    fields = config_of(module).to_fields()
    return json.dumps([form.text, fields, allows_acc_8bit(module)])


def lower_task(task: str, kept: KnownTilings | None = None) -> str:
    """The record of what a form becomes under its default schedule, as text; empty where that is refused.

    `kept` are tilings that are known.
    """
    form, fields, acc_8bit = json.loads(task)
    module = ModuleOp([function_of_form(form)])
    CONFIG.set(module, fields)
    if acc_8bit:
        ACC_8BIT.set(module, True)
    with seldom_collected():
        schedule = TrialSchedule(module)
        try:
            layers = layers_of(schedule)
            work = work_in(layers, config_of(module))
            return KernelRecord.of(lowering_of(schedule, layers, module, kept), work).text()
        except (VtacError, UnwritableError):
            return ""


def get_ready() -> None:
    """Import what lowering needs; a process that is to lower does so before it has a task."""
    make_context()


def work_in(layers: Sequence[Layer], config: VTAConfig) -> dict[str, int]:
    """What layers take together, at least."""
    works = [work_of(layer, config).fields() for layer in layers]
    return {name: sum(work[name] for work in works) for name in works[0]} if works else {}
