"""From a function on plain tensors to a program: packed, scheduled, compiled, with its host part."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation

from vtac.analysis.locations import location_of
from vtac.dialects.packing.declared import CHOICE, DEVICE, PROGRAM
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError
from vtac.passes.linalg.expand_groups import ExpandGroups
from vtac.passes.linalg.unroll_batches import UnrollBatches
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.passes.vta.pack_for_vta import PackForVta
from vtac.targets.vta.linking.constants import fold_constants
from vtac.targets.vta.linking.host_checks import check_host
from vtac.targets.vta.linking.kernels import compiled
from vtac.targets.vta.linking.linker import Linker, Progress
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.text.context import make_context


def compile_plain(module: ModuleOp, *, host: bool = True, progress: Progress | None = None) -> HostProgram:
    """Compile a module whose one function works on plain tensors; the module is used up.

    Device calls that need no host operation between them become one program. `host=False`
    refuses what would run on the host besides changes of layout. Scripts in the module are
    for device functions, as `split_plain` names them.
    """
    function = split_plain(module, host=host)
    scripts = _checked_scripts(module)
    programs = _compile_calls(function, module, progress)
    for script in scripts:
        script.detach()
        script.erase()
    fold_constants(function, grow=True)
    return HostProgram.around(module, programs)


def split_plain(module: ModuleOp, *, host: bool = True) -> FuncOp:
    """Turn a module's one function on plain tensors into device functions and the host function, which is returned."""
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        names = ", ".join(function.sym_name.data for function in functions) or "none"
        raise CompileError(f"a program is one function; the module has {len(functions)} ({names})", location_of(module))
    function = functions[0]
    fold_constants(function, grow=False)
    for step in (ExpandGroups(), UnrollBatches()):
        step.apply(make_context(), module)
    _pack(module, host=host)
    check_host(function)
    fold_constants(function, grow=True)
    for step in (GroupDeviceCalls(), MergeDeviceFunctions()):
        step.apply(make_context(), module)
    return function


def device_functions(module: ModuleOp) -> list[FuncOp]:
    """The functions of a split module that run on the VTA."""
    return [op for op in module.ops if isinstance(op, FuncOp) and DEVICE.is_on(op)]


def _checked_scripts(module: ModuleOp) -> list[ScriptOp]:
    scripts = [op for op in module.ops if isinstance(op, ScriptOp)]
    names = [device.sym_name.data for device in device_functions(module)]
    for script in scripts:
        if script.target.data not in names:
            raise CompileError(
                f"no device function '{script.target.data}' to schedule; this program has {', '.join(names)}: "
                "vtac schedule prints their scripts",
                location_of(script),
            )
    return scripts


def _compile_calls(function: FuncOp, module: ModuleOp, progress: Progress | None) -> dict[str, Program]:
    """The program behind each call of the host function, by name."""
    functions = {op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp)}
    linker = Linker(module, functions, progress)
    programs: dict[str, Program] = {}
    for call in [op for op in function.walk() if isinstance(op, CallOp)]:
        name = call.callee.string_value()
        if PROGRAM.is_on(functions[name]):
            programs[name], found = linker.program(functions[name])
            notes = [f"{kernel}: {note}" for kernel, note in found.items()]
            if notes:
                CHOICE.set(call, [*(CHOICE.get(call) or ()), *notes])
        else:
            kept = _move_constants(call, functions[name])
            programs[name], note = compiled(functions[name], module)
            if note is not None:
                _note(kept, note)
    return programs


def _pack(module: ModuleOp, *, host: bool) -> None:
    PackForVta(host=host).apply(make_context(), module)
    module.verify()


def _note(call: CallOp, choice: str) -> None:
    """Add to the choices that a program lists."""
    before = CHOICE.get(call)
    CHOICE.set(call, f"{before}; {choice}" if isinstance(before, str) else choice)


def _move_constants(call: CallOp, device: FuncOp) -> CallOp:
    """Constant arguments move into the device function; returns the call without them."""
    constants = [operand.owner for operand in call.arguments]
    moved = [index for index, op in enumerate(constants) if isinstance(op, ConstantOp)]
    if not moved:
        return call
    body = device.body.block
    for index in reversed(moved):
        argument = body.args[index]
        inside = cast(ConstantOp, constants[index]).clone()
        inside.result.name_hint = argument.name_hint
        body.insert_op_before(inside, cast(Operation, body.first_op))
        argument.replace_all_uses_with(inside.result)
        body.erase_arg(argument)
    device.function_type = FunctionType.from_lists(
        [argument.type for argument in body.args], list(device.function_type.outputs)
    )
    keep = [operand for index, operand in enumerate(call.arguments) if index not in moved]
    replacement = CallOp(call.callee.string_value(), keep, [result.type for result in call.res])
    replacement.attributes |= call.attributes
    replacement.location = call.location
    cast(Block, call.parent).insert_op_before(replacement, call)
    for old, new in zip(call.res, replacement.res, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    call.detach()
    call.erase()
    return replacement
