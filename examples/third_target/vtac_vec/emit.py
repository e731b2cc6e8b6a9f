"""`-t vec-asm`: a function of the vec level as the machine's assembly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, cast

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue
from xdsl.utils.target import Target

from vtac.analysis.nests.nest import buffer_name, shape_of
from vtac_vec.declared import REGISTER
from vtac_vec.dialect import AxpyOp, LoadOp, StoreOp, ZeroOp


@dataclass(frozen=True)
class VecAsm(Target):
    """The assembly of a module's functions."""

    name = "vec-asm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(assembly(module))


def assembly(module: ModuleOp) -> str:
    """The text of every function with a body, one instruction a line."""
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    return "".join(_Printer().function(function) for function in functions)


class _Printer:
    def __init__(self) -> None:
        self.names: dict[SSAValue, str] = {}
        self.lines: list[str] = []

    def function(self, function: FuncOp) -> str:
        entry = function.body.block
        self.names = {argument: buffer_name(argument) for argument in entry.args}
        sizes = ", ".join(f"{name}: {'x'.join(map(str, shape_of(buffer)))}" for buffer, name in self.names.items())
        self.lines = [f"{function.sym_name.data}({sizes})"]
        self.body(entry, "  ")
        return "\n".join(self.lines) + "\n"

    def body(self, block: Block, indent: str) -> None:
        for op in block.ops:
            match op:
                case arith.ConstantOp():
                    self.names[op.result] = str(cast("IntegerAttr", op.value).value.data)
                case ApplyOp():
                    terms = [self.names[value] for value in op.mapOperands]
                    self.names[op.results[0]] = _expression(op, terms)
                case AllocOp():
                    self.names[op.memref] = f"v{REGISTER.get(op)}"
                case scf.ForOp():
                    name = self.names[op.body.block.args[0]] = f"i{len(indent) // 2}"
                    self.lines.append(f"{indent}for {name} = {self.names[op.lb]} to {self.names[op.ub]}")
                    self.body(op.body.block, indent + "  ")
                case ZeroOp():
                    self.lines.append(f"{indent}zero  {self.names[op.register]}")
                case LoadOp():
                    self.lines.append(f"{indent}load  {self.names[op.register]}, {self._memory(op)}")
                case StoreOp():
                    self.lines.append(f"{indent}store {self._memory(op)}, {self.names[op.register]}")
                case AxpyOp():
                    vector = self.names[op.vector]
                    self.lines.append(f"{indent}axpy  {self.names[op.sum]}, {self._memory(op)}, {vector}")
                case _:
                    pass

    def _memory(self, op: LoadOp | StoreOp | AxpyOp) -> str:
        return f"{self.names[op.buffer]}[{self.names[op.at]}]"


def _expression(op: ApplyOp, terms: list[str]) -> str:
    """The one result of an affine map, with the names of its operands."""
    text = str(op.map.data.results[0]).removeprefix("(").removesuffix(")")
    for number in reversed(range(len(terms))):
        text = text.replace(f"d{number}", terms[number])
    return text
