"""Operations of the packing dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Attribute, Region
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import (
    HasParent,
    IsTerminator,
    NoMemoryEffect,
    Pure,
    RecursiveMemoryEffect,
)
from xdsl.utils.exceptions import VerifyException

_Tensor = base(TensorType)


@irdl_op_definition
class UnspecifiedOp(IRDLOperation):
    """A tensor of any numbers: nothing that is computed may depend on which.

    What fills the lanes of tiles that hold no channel, where a product multiplies them by zeros. Other than of
    `tensor.empty`, its elements may be read.
    """

    name = "packing.unspecified"

    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($result)"


@irdl_op_definition
class BlockDiagonalOp(IRDLOperation):
    """The kernel of a convolution in groups, with zeros between groups that are computed as one.

    (G, F, C, H, W) as (G * F, M * C, H, W), for M neighbouring groups at once; for all of
    them that is the dense kernel.
    """

    name = "packing.block_diagonal"

    source = operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def verify_(self) -> None:
        source = cast("TensorType[Attribute]", self.source.type)
        shape = source.get_shape()
        if len(shape) != 5:
            raise VerifyException(f"expected groups of kernels of rank 5, found {source}")
        groups, features, channels, *taps = shape
        result = self.result.type
        if len(result.get_shape()) == 4:
            merged = result.get_shape()[1] // channels
            kind = TensorType(source.get_element_type(), [groups * features, merged * channels, *taps])
            if merged > 0 and groups % merged == 0 and result == kind:
                return
        wanted = TensorType(source.get_element_type(), [groups * features, groups * channels, *taps])
        raise VerifyException(
            f"expected the result {wanted}, or with the channels of a divisor of {groups} groups, found {result}"
        )


@irdl_op_definition
class InterleaveOp(IRDLOperation):
    """One i32 tensor from its four byte planes, the lowest byte first, each an i8 tensor of the same shape."""

    name = "packing.interleave"

    planes = var_operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$planes attr-dict `:` type($planes) `to` type($result)"

    def verify_(self) -> None:
        result = self.result.type
        if str(result.get_element_type()) != "i32" or len(self.planes) != 4:
            raise VerifyException(f"expected four planes and an i32 result, found {len(self.planes)} and {result}")
        for plane in self.planes:
            kind = cast("TensorType[Attribute]", plane.type)
            if str(kind.get_element_type()) != "i8" or kind.get_shape() != result.get_shape():
                raise VerifyException(f"expected i8 planes of shape {list(result.get_shape())}, found {kind}")


@irdl_op_definition
class JoinOp(IRDLOperation):
    """Tensors one after the other along their first dimension."""

    name = "packing.join"

    parts = var_operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$parts attr-dict `:` type($parts) `to` type($result)"

    def verify_(self) -> None:
        result = self.result.type
        kinds = [cast("TensorType[Attribute]", part.type) for part in self.parts]
        rest = [(kind.get_element_type(), tuple(kind.get_shape()[1:])) for kind in kinds]
        wanted = (result.get_element_type(), tuple(result.get_shape()[1:]))
        if any(one != wanted for one in rest) or sum(kind.get_shape()[0] for kind in kinds) != result.get_shape()[0]:
            raise VerifyException(f"expected parts that make up {result}, found {', '.join(map(str, kinds))}")


@irdl_op_definition
class HostOp(IRDLOperation):
    """Operations that the host executes, and the reason why the VTA does not."""

    name = "packing.host"

    reason = prop_def(StringAttr)
    outputs = var_result_def()
    body = region_def("single_block")

    traits = traits_def(RecursiveMemoryEffect())
    assembly_format = "$reason attr-dict-with-keyword (`->` type($outputs)^)? $body"

    @staticmethod
    def get(reason: str, outputs: Sequence[Attribute], body: Region) -> HostOp:
        """A segment whose body ends in `packing.yield` of values of the types `outputs`."""
        return HostOp(properties={"reason": StringAttr(reason)}, result_types=[list(outputs)], regions=[body])

    def verify_(self) -> None:
        last = self.body.block.last_op
        if not isinstance(last, YieldOp):
            raise VerifyException("expected a body that ends in packing.yield")
        given, wanted = [value.type for value in last.values], [value.type for value in self.outputs]
        if given != wanted:
            raise VerifyException(
                f"expected packing.yield of {', '.join(map(str, wanted))}, found {', '.join(map(str, given))}"
            )


@irdl_op_definition
class YieldOp(IRDLOperation):
    """What a host segment gives to the program around it."""

    name = "packing.yield"

    values = var_operand_def()

    traits = traits_def(IsTerminator(), NoMemoryEffect(), HasParent(HostOp))
    assembly_format = "($values^ `:` type($values))? attr-dict"
