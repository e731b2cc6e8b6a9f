"""Parts of host programs: a program without instructions, declarations, and buffers of plain arguments."""

from __future__ import annotations

from itertools import repeat
from typing import cast

from xdsl.dialects.builtin import DictionaryAttr, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Region, SSAValue

from vtac.analysis.ir.walks import operations_of
from vtac.analysis.nests.nest import buffer_name
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.declared import NAME
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.numbers import dtype_of
from vtac.rewriting.copies import copy_of
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import FIRST_ADDRESS, Buffer, DType, Names
from vtac.targets.vta.stream.stream_builder import StreamBuilder


def idle_program(config: VTAConfig) -> Program:
    """What is saved for the VTA beside a host function that does everything: a stream that ends at once."""
    stream = StreamBuilder(config, FIRST_ADDRESS, 0)
    stream.finish_dataflow(0)
    micro_ops = Buffer("micro_ops", "uop", "uint32", (0,), FIRST_ADDRESS)
    return Program(config, stream.instructions(), b"", (micro_ops,))


def with_declarations(host: ModuleOp) -> ModuleOp:
    """The module without the bodies of the functions that device programs stand for."""
    calls = {op.callee.string_value() for op in operations_of(CallOp, host)}
    ops = [
        FuncOp(op.sym_name.data, op.function_type, Region(), "private")
        if isinstance(op, FuncOp) and op.sym_name.data in calls
        else copy_of(op)
        for op in host.ops
    ]
    copy = ModuleOp(ops, host.attributes, host.sym_name)
    copy.location = host.location
    return copy


def plain_buffers(function: FuncOp) -> tuple[Buffer, ...]:
    """Arguments, then results."""
    names = Names()
    returned = cast(ReturnOp, function.body.block.last_op)
    arguments = [_buffer(value, names, is_argument=True) for value in function.body.block.args]
    results = [
        _buffer(value, names, NAME.within(marks), is_argument=False)
        for value, marks in zip(returned.operands, function.res_attrs or repeat(DictionaryAttr({})), strict=False)
    ]
    return (*arguments, *results)


def _buffer(value: SSAValue, names: Names, given: str | None = None, *, is_argument: bool) -> Buffer:
    dtype = cast(DType, str(dtype_of(element_type(value.type))))
    role = "input" if is_argument else "output"
    return Buffer(
        names.take(given or buffer_name(value)), role, dtype, shape_of_type(value.type), 0, is_argument, not is_argument
    )
