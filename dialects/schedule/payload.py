"""Payload of the schedule dialect: explicit loop nests over blocks."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    ArrayAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
)
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frequent import text_attribute
from vtac.dialects.making import make_op, only_region, read_directly
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable, Number
from vtac.dialects.schedule.loops import ForOp
from vtac.dialects.schedule.payload_text import BlockText
from vtac.dialects.segments import SEGMENTS, read_groups_directly, segments

__all__ = ["BlockOp", "ForOp", "YieldOp"]


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a block's body with the scalar that is stored."""

    name = "schedule.yield"

    value = operand_def()

    traits = traits_def(IsTerminator())
    assembly_format = "$value attr-dict `:` type($value)"


@irdl_op_definition
class BlockOp(IRDLOperation):
    """One statement: for each point of its iteration domain, compute a scalar and store it.

    `bindings` maps the enclosing loops in `loops` to the iteration variables; the block
    runs where every constraint of `guard` holds. The body takes one scalar per input,
    then, when the domain has a reduction, the value accumulated so far; with `init` that
    value starts there whenever all reduction variables are 0, else in the buffer itself.
    `source` is the name of the operation that the block computes, if it comes from one.
    """

    name = "schedule.block"

    loops = var_operand_def(IndexType())
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)

    sym_name = prop_def(StringAttr)
    source = opt_prop_def(StringAttr)
    domain = prop_def(IterationAttr)
    bindings = prop_def(AffineMapAttr)
    guard = opt_prop_def(AffineSetAttr)
    accesses = prop_def(ArrayAttr[AccessAttr])
    init = opt_prop_def(IntegerAttr | FloatAttr)
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    @staticmethod
    def get(
        name: str,
        *,
        loops: list[SSAValue],
        inputs: list[SSAValue],
        output: SSAValue,
        domain: tuple[IterationVariable, ...],
        bindings: AffineMap,
        accesses: list[AccessAttr],
        body: Region,
        init: Number | None = None,
    ) -> BlockOp:
        properties: dict[str, Attribute] = {
            "sym_name": text_attribute(name),
            "domain": IterationAttr(domain),
            "bindings": AffineMapAttr(bindings),
            "accesses": ArrayAttr(accesses),
            **({} if init is None else {"init": init}),
            SEGMENTS: segments(len(loops), len(inputs), 1),
        }
        return make_op(BlockOp, operands=[*loops, *inputs, output], properties=properties, regions=[body])

    @property
    def block_name(self) -> str:
        return self.sym_name.data

    @property
    def bound_loops(self) -> tuple[SSAValue, ...]:
        """`loops`, by the number that `bindings` take: in a fraction of the time, as nothing is decoded."""
        return tuple(self._operands)[: self.bindings.data.num_dims]

    @property
    def buffers(self) -> tuple[SSAValue, ...]:
        """What it accesses, one for each of `accesses`: `inputs`, then `output`."""
        return tuple(self._operands)[-len(self.accesses.data) :]

    @property
    def variables(self) -> tuple[IterationVariable, ...]:
        return self.domain.data

    @property
    def has_reduction(self) -> bool:
        return any(variable.reduction for variable in self.variables)

    @property
    def output_access(self) -> AccessAttr:
        return self.accesses.data[-1]

    @property
    def yielded(self) -> SSAValue:
        return cast(YieldOp, self.body.block.last_op).value

    def verify_(self) -> None:
        self._verify_maps()
        self._verify_body()

    def _verify_maps(self) -> None:
        bindings = self.bindings.data
        loops = len(self.loops)
        if bindings.num_dims != loops or bindings.num_symbols:
            raise VerifyException(f"bindings take {bindings.num_dims} loops; the block names {loops}")
        if len(bindings.results) != len(self.variables):
            raise VerifyException(
                f"bindings give {len(bindings.results)} values; the domain has {len(self.variables)} variables"
            )
        if self.guard is not None and self.guard.data.num_dims != loops:
            raise VerifyException(f"the guard takes {self.guard.data.num_dims} loops; the block names {loops}")
        buffers = (*self.inputs, self.output)
        if len(self.accesses) != len(buffers):
            raise VerifyException(f"{len(self.accesses)} accesses for {len(buffers)} buffers; one each is required")
        for position, (buffer, access) in enumerate(zip(buffers, self.accesses, strict=True)):
            rank = len(cast(MemRefType, buffer.type).get_shape())
            if access.indices.num_dims != len(self.variables) or len(access.indices.results) != rank:
                raise VerifyException(
                    f"access #{position} maps {access.indices.num_dims} variables to {len(access.indices.results)} "
                    f"indices; the block has {len(self.variables)} variables and the buffer rank {rank}"
                )
        if self.output_access.pad_value is not None:
            raise VerifyException("the output of a block cannot be padded")

    def _verify_body(self) -> None:
        types = [cast(MemRefType, buffer.type).element_type for buffer in self.inputs]
        result = cast(MemRefType, self.output.type).element_type
        if self.has_reduction:
            types.append(result)
        found = [argument.type for argument in self.body.block.args]
        if found != types:
            raise VerifyException(
                f"the body takes ({_join(found)}); the inputs"
                f"{' and the accumulator' if self.has_reduction else ''} give ({_join(types)})"
            )
        last = self.body.block.last_op
        if not isinstance(last, YieldOp) or last.value.type != result:
            raise VerifyException(f"the body must end with schedule.yield of {result}, the output's element type")
        if self.init is not None and (self.init.type != result or not self.has_reduction):
            raise VerifyException(f"init must be a number of type {result} on a block with a reduction")

    @classmethod
    def parse(cls, parser: Parser) -> BlockOp:
        text = BlockText.parse(parser)
        *inputs, output = [buffer for buffer, _ in text.accesses]
        return BlockOp(
            operands=[text.loops, inputs, output],
            properties={
                "sym_name": StringAttr(text.name),
                "source": None if text.source is None else StringAttr(text.source),
                "domain": text.domain,
                "bindings": text.bindings,
                "guard": text.guard,
                "accesses": ArrayAttr([access for _, access in text.accesses]),
                "init": text.init,
            },
            attributes=text.attributes,
            regions=[text.body],
        )

    def print(self, printer: Printer) -> None:
        BlockText(
            self.block_name,
            self.domain,
            self.bindings,
            self.loops,
            None if self.source is None else self.source.data,
            self.guard,
            list(zip((*self.inputs, self.output), self.accesses, strict=True)),
            self.init,
            self.attributes,
            self.body,
        ).print(printer)


read_directly(BlockOp, body=only_region)
read_groups_directly(BlockOp)


def _join(types: list[Attribute]) -> str:
    return ", ".join(str(kind) for kind in types)
