"""What was chosen for a device function, written where reports look for it: at the host's calls."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp
from xdsl.ir import Operation

from vtac.analysis.ir.device_functions import calls_of, device_functions, host_functions, program_functions
from vtac.analysis.ir.locations import location_of
from vtac.dialects.packing.declared import CHOICE, choices_of, chooser


def placed_choices(op: Operation) -> list[str]:
    """What was chosen for an operation, with who does it and where that stands in the source."""
    chosen = choices_of(op)
    place = location_of(op) if isinstance(op, CallOp) and isinstance(CHOICE.get(op), str) else ""
    return [f"{choice} ({place})" for choice in chosen] if place else chosen


def note_choice(module: ModuleOp, device: str, choice: str) -> None:
    """Add a choice to the calls by which a host function reaches a device function: its own, or those of programs.

    A choice that stands there already is not repeated.
    """
    place = next((location_of(one) for one in device_functions(module) if one.sym_name.data == device), "")
    calls = calls_of(module, {device})
    who = chooser(calls[0]) if calls else device
    text = f"{who}: {choice} ({place})" if place else f"{who}: {choice}"
    hosts = host_functions(module)
    for call in calls:
        if any(host.is_ancestor(call) for host in hosts):
            _add_to_call(call, text)
    for program in program_functions(module):
        name = program.sym_name.data
        if any(isinstance(op, CallOp) and op.callee.string_value() == device for op in program.walk()):
            for call in calls_of(module, {name}):
                _add_to_call(call, text)


def _add_to_call(call: CallOp, choice: str) -> None:
    known = placed_choices(call)
    if choice not in known:
        CHOICE.set(call, [*known, choice])
