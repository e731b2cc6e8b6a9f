"""linalg's named operations of one element each that frontends emit and xDSL lacks.

Each is a name for the elementwise `linalg.generic` of one operation of arith or math: operands and result have one
shape and one type of elements, and nothing is converted.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from xdsl.builder import Builder
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerType, i1
from xdsl.dialects.linalg.abstract_ops import ElementwiseOperation
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from vtac.dialects.named_operation import elements_of


class NamedElementwiseOp(ElementwiseOperation, ABC):
    """One operation on each element, by whether the elements are floats or integers."""

    ON_FLOATS: ClassVar[type[Operation] | None] = None
    ON_INTEGERS: ClassVar[type[Operation] | None] = None
    """What is computed; None where MLIR has no such operation."""
    INPUTS: ClassVar[int] = 1

    @classmethod
    def number_of_inputs(cls) -> int:
        """How many operands are read."""
        return cls.INPUTS

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        """The body; raises `VerifyException` for another number of operands, and for elements that it takes not."""
        if len(inputs) != cls.INPUTS or len(outputs) != 1:
            found = f"it has {len(inputs)} ins and {len(outputs)} outs"
            raise VerifyException(f"'{cls.name}': {found}; {cls.INPUTS} ins and 1 outs are required")
        block = Block(arg_types=elements_of([*inputs, *outputs]))
        builder = Builder(InsertPoint.at_end(block))
        read = list(block.args[:-1])
        builder.insert(YieldOp(cls.computed(read, block.args[-1].type, builder)))
        return Region(block)

    @classmethod
    def computed(cls, read: list[BlockArgument], kind: Attribute, builder: Builder) -> SSAValue:
        """The result for one element, of that type."""
        taken = cls.ON_FLOATS if isa(kind, AnyFloat) else cls.ON_INTEGERS if isinstance(kind, IntegerType) else None
        if taken is None or kind == i1:
            raise VerifyException(f"'{cls.name}' of elements {kind}: {cls._kinds()} are required")
        make = cast("Callable[..., Operation]", taken)
        return builder.insert(make(*read)).results[0]

    @classmethod
    def _kinds(cls) -> str:
        kinds = (("floats", cls.ON_FLOATS), ("integers of more than one bit", cls.ON_INTEGERS))
        return " or ".join(name for name, taken in kinds if taken is not None)


@irdl_op_definition
class AbsOp(NamedElementwiseOp):
    """The absolute value."""

    name = "linalg.abs"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.AbsFOp


@irdl_op_definition
class CeilOp(NamedElementwiseOp):
    """The least integer that is no less."""

    name = "linalg.ceil"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.CeilOp


@irdl_op_definition
class FloorOp(NamedElementwiseOp):
    """The largest integer that is no more."""

    name = "linalg.floor"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.FloorOp


@irdl_op_definition
class NegfOp(NamedElementwiseOp):
    """The same number with the other sign."""

    name = "linalg.negf"
    ON_FLOATS: ClassVar[type[Operation] | None] = arith.NegfOp


@irdl_op_definition
class RoundOp(NamedElementwiseOp):
    """The nearest integer, halves away from zero."""

    name = "linalg.round"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.RoundOp


@irdl_op_definition
class RsqrtOp(NamedElementwiseOp):
    """One over the square root."""

    name = "linalg.rsqrt"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.RsqrtOp


@irdl_op_definition
class TanhOp(NamedElementwiseOp):
    """The hyperbolic tangent."""

    name = "linalg.tanh"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.TanhOp


@irdl_op_definition
class ErfOp(NamedElementwiseOp):
    """The error function."""

    name = "linalg.erf"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.ErfOp


@irdl_op_definition
class ReciprocalOp(NamedElementwiseOp):
    """One over the number."""

    name = "linalg.reciprocal"
    ON_FLOATS: ClassVar[type[Operation] | None] = arith.DivfOp

    @classmethod
    def computed(cls, read: list[BlockArgument], kind: Attribute, builder: Builder) -> SSAValue:
        if not isa(kind, AnyFloat):
            return super().computed(read, kind, builder)
        one = builder.insert(arith.ConstantOp(FloatAttr(1.0, kind))).result
        return builder.insert(arith.DivfOp(one, read[0])).result


@irdl_op_definition
class SquareOp(NamedElementwiseOp):
    """The number times itself."""

    name = "linalg.square"
    ON_FLOATS: ClassVar[type[Operation] | None] = arith.MulfOp

    @classmethod
    def computed(cls, read: list[BlockArgument], kind: Attribute, builder: Builder) -> SSAValue:
        return super().computed([*read, *read], kind, builder)


@irdl_op_definition
class DivOp(NamedElementwiseOp):
    """The quotient; of integers with signs, to zero."""

    name = "linalg.div"
    ON_FLOATS: ClassVar[type[Operation] | None] = arith.DivfOp
    ON_INTEGERS: ClassVar[type[Operation] | None] = arith.DivSIOp
    INPUTS: ClassVar[int] = 2


@irdl_op_definition
class DivUnsignedOp(NamedElementwiseOp):
    """The quotient of integers without signs."""

    name = "linalg.div_unsigned"
    ON_INTEGERS: ClassVar[type[Operation] | None] = arith.DivUIOp
    INPUTS: ClassVar[int] = 2


@irdl_op_definition
class PowfOp(NamedElementwiseOp):
    """The first number to the power of the second."""

    name = "linalg.powf"
    ON_FLOATS: ClassVar[type[Operation] | None] = math.PowFOp
    INPUTS: ClassVar[int] = 2


ELEMENTWISE: tuple[type[NamedElementwiseOp], ...] = (
    AbsOp,
    CeilOp,
    FloorOp,
    NegfOp,
    RoundOp,
    RsqrtOp,
    TanhOp,
    ErfOp,
    ReciprocalOp,
    SquareOp,
    DivOp,
    DivUnsignedOp,
    PowfOp,
)
