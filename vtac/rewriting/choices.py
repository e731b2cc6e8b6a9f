"""What was chosen for a device function, written where reports look for it: at the host's calls."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp

from vtac.analysis.device_functions import calls_of, host_functions, program_functions
from vtac.dialects.packing.declared import CHOICE


def note_choice(module: ModuleOp, device: str, choice: str) -> None:
    """Add a choice to the calls by which a host function reaches a device function: its own, or those of programs.

    A choice that stands there already is not repeated.
    """
    hosts = host_functions(module)
    for call in calls_of(module, {device}):
        if any(host.is_ancestor(call) for host in hosts):
            _add_to_call(call, choice)
    for program in program_functions(module):
        name = program.sym_name.data
        if any(isinstance(op, CallOp) and op.callee.string_value() == device for op in program.walk()):
            for call in calls_of(module, {name}):
                _add_to_program(call, f"{device}: {choice}")


def _add_to_call(call: CallOp, choice: str) -> None:
    before = CHOICE.get(call)
    if not isinstance(before, str):
        CHOICE.set(call, choice)
    elif choice not in before:
        CHOICE.set(call, f"{before}; {choice}")


def _add_to_program(call: CallOp, choice: str) -> None:
    before = CHOICE.get(call)
    known = [before] if isinstance(before, str) else list(before or ())
    if choice not in known:
        CHOICE.set(call, [*known, choice])
