"""Operations on fragments element by element, wherever in a warp the elements are."""

from __future__ import annotations

from dataclasses import replace

from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, region_def, traits_def
from xdsl.traits import IsTerminator, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.wmma.attributes import FragmentType
from vtac.dialects.wmma.ops import INDEX, fragment_of


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a map with the new element."""

    name = "wmma.yield"
    value = operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "$value attr-dict `:` type($value)"


@irdl_op_definition
class MapFragmentOp(IRDLOperation):
    """Replace every element of one fragment by what the body makes of it."""

    name = "wmma.map"
    fragments = operand_def(FragmentType)
    index = operand_def(INDEX)
    body = region_def("single_block")
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$fragments `[` $index `]` attr-dict-with-keyword `:` type($fragments) $body"

    def verify_(self) -> None:
        element = fragment_of(self.fragments).element
        arguments = self.body.block.args
        last = self.body.block.last_op
        types = [str(argument.type) for argument in arguments]
        types += [str(last.value.type)] if isinstance(last, YieldOp) else ["nothing"]
        wanted = element.replace("tf32", "f32").replace("s", "i").replace("u", "i")
        if types != [wanted, wanted]:
            raise VerifyException(
                f"map: the body takes an element of the fragment, {wanted}, and yields one; found {', '.join(types)}"
            )


@irdl_op_definition
class MultiplyFragmentOp(IRDLOperation):
    """fragments[index] *= factors[j], element by element.

    Fragments of one type have their elements in the same places of all lanes, wherever that is, so no lane needs
    another's.
    """

    name = "wmma.multiply_fragment"
    fragments = operand_def(FragmentType)
    index = operand_def(INDEX)
    factors = operand_def(FragmentType)
    factors_index = operand_def(INDEX)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$fragments `[` $index `]` `by` $factors `[` $factors_index `]` attr-dict "
        "`:` type($fragments) `,` type($factors)"
    )

    def verify_(self) -> None:
        own, other = fragment_of(self.fragments), fragment_of(self.factors)
        if own.role != "accumulator" or replace(own, count=1) != replace(other, count=1):
            raise VerifyException(
                f"multiply_fragment: accumulators of one type are required, found {own.shown} and {other.shown}"
            )
