"""Host programs as directories: host.mlir beside the saved device programs."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Region
from xdsl.printer import Printer

from vtac.errors import ProgramError, VtacError
from vtac.targets.vta.programs.host_program import HostProgram, idle_program
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.saved_program import HOST_FILE, load_device_program, save_program, write_part
from vtac.text.source import parse


def save_host_program(program: HostProgram, folder: Path) -> None:
    """Write the host function, and the device programs: one into `folder`, several into one below it each."""
    for name, device in program.devices.items():
        device.save(folder if len(program.devices) == 1 else folder / name)
    if not program.devices:
        save_program(program, folder, None)
    text = StringIO()
    Printer(text).print_op(_with_declarations(program.host))
    write_part(folder / HOST_FILE, f"{text.getvalue()}\n".encode())


def load_host_program(folder: Path) -> HostProgram:
    """Read back what `save_host_program` wrote.

    Raises `ProgramError` for a host function that does not parse or contradicts the device
    programs, and for device programs that cannot be read.
    """
    host = _parsed(folder / HOST_FILE)
    calls = {op.callee.string_value(): op for op in host.walk() if isinstance(op, CallOp)}
    if not calls:
        _check_idle(folder, host)
    devices = {name: load_device_program(folder if len(calls) == 1 else folder / name) for name in calls}
    for name, call in calls.items():
        _check_call(call, devices[name], folder / HOST_FILE)
    return HostProgram.around(host, devices)


def _check_idle(folder: Path, host: ModuleOp) -> None:
    """Beside a host function that calls nothing lies a stream that ends at once."""
    idle = idle_program(host).instructions
    if not (folder / "insn.bin").is_file() or load_device_program(folder).instructions != idle:
        raise ProgramError(f"{folder / HOST_FILE}: calls no device program, but some are saved with it")


def _with_declarations(host: ModuleOp) -> ModuleOp:
    """The module without the bodies of the functions that device programs stand for."""
    calls = {op.callee.string_value() for op in host.walk() if isinstance(op, CallOp)}
    copy = host.clone()
    for op in list(copy.ops):
        if isinstance(op, FuncOp) and op.sym_name.data in calls:
            declared = FuncOp(op.sym_name.data, op.function_type, Region(), "private")
            copy.body.block.insert_op_before(declared, op)
            op.detach()
            op.erase()
    return copy


def _parsed(path: Path) -> ModuleOp:
    try:
        host = parse(path)
        host.verify()
    except VtacError as error:
        raise ProgramError(str(error)) from None
    functions = [op for op in host.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        raise ProgramError(f"{path}: expected one function with a body, the host's; found {len(functions)}")
    return host


def _check_call(call: CallOp, device: Program, path: Path) -> None:
    taken, given = len(device.arguments), len(call.arguments)
    returned, used = len(device.results), len(call.res)
    if (taken, returned) != (given, used):
        raise ProgramError(
            f"{path}: calls '{call.callee.string_value()}' with {given} arguments for {used} results; "
            f"the saved program takes {taken} and returns {returned}"
        )
