"""What goes in: modules from text or files, with their configuration and schedule in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.locations import location_of
from vtac.analysis.target import CONFIG, config_of, set_config
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError

if TYPE_CHECKING:
    from vtac.schedule import Schedule


def parse(source: str | Path) -> ModuleOp:
    """A module from a Path or file name, or from text when a string has a newline.

    Raises `CompileError` with file:line:col for a syntax or verification error.
    """
    from vtac.text.source import load_module

    return load_module(source)


def prepare(
    module: ModuleOp | str | Path, config: VTAConfig | None, schedule: Schedule | ModuleOp | str | Path | None
) -> ModuleOp:
    """A copy of the module with its configuration and schedule in place."""
    work = module.clone() if isinstance(module, ModuleOp) else parse(module)
    if config is None and CONFIG not in work.attributes and schedule is not None:
        config = getattr(schedule, "config", None)
    _settle_config(work, config)
    if schedule is not None:
        _attach_schedule(work, schedule)
    return work


def context() -> Context:
    """A context that knows every dialect."""
    from vtac.tools.registry import make_context

    return make_context()


def _settle_config(module: ModuleOp, config: VTAConfig | None) -> None:
    if config is None:
        set_config(module, config_of(module))
        return
    if CONFIG in module.attributes and config_of(module) != config:
        mine, given = config_of(module).to_fields(), config.to_fields()
        field = next(key for key in mine if mine[key] != given[key])
        raise CompileError(
            f"the module's {CONFIG} has {field} = {mine[field]}, the configuration given {given[field]}: "
            "drop one of the two",
            location_of(module),
        )
    set_config(module, config)


def _attach_schedule(module: ModuleOp, schedule: Schedule | ModuleOp | str | Path) -> None:
    for own in [op for op in module.ops if isinstance(op, ScriptOp)]:
        own.detach()
        own.erase()
    for script in _scripts(schedule):
        module.body.block.add_op(script)


def _scripts(schedule: Schedule | ModuleOp | str | Path) -> list[ScriptOp]:
    if not isinstance(schedule, ModuleOp | str | Path):
        return [schedule.script]
    source = schedule if isinstance(schedule, ModuleOp) else parse(schedule)
    scripts = [op.clone() for op in source.ops if isinstance(op, ScriptOp)]
    if not scripts:
        raise CompileError("the schedule holds no schedule.script", location_of(source))
    return scripts
