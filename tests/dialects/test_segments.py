"""Groups of operands are read by where they start, as xDSL's own accessors read them."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.types.buffer_types import buffer_type
from vtac.dialects.frequent import INDEX, numbers_attribute, text_attribute
from vtac.dialects.making import make_op
from vtac.dialects.segments import SEGMENTS, segments
from vtac.dialects.vta.kernels import GemmOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp

BUFFER = buffer_type(INDEX, (4,))


def transfer(kind: type[Operation], sizes: tuple[int, int, int]) -> tuple[Operation, tuple[SSAValue, ...]]:
    near, moving = sizes[1:]
    values = Block(arg_types=[BUFFER, *[BUFFER] * near, *[IndexType()] * moving]).args
    properties: dict[str, Attribute] = {
        "static": numbers_attribute(),
        "memory": text_attribute("inp"),
        SEGMENTS: segments(*sizes),
    }
    return make_op(kind, operands=values, properties=properties), values


@pytest.mark.parametrize("kind", [Load2DOp, Store2DOp])
@pytest.mark.parametrize("moving", [0, 2])
def test_groups_of_a_transfer(kind: type[Load2DOp | Store2DOp], moving: int) -> None:
    op, values = transfer(kind, (1, 1, moving))
    assert isinstance(op, kind)
    assert (op.buffer, op.on_chip, tuple(op.dynamic)) == (values[0], values[1], tuple(values[2:]))
    op, values = transfer(kind, (1, 0, moving))
    assert isinstance(op, kind)
    assert (op.buffer, op.on_chip, tuple(op.dynamic)) == (values[0], None, tuple(values[1:]))


def test_groups_follow_operands_that_are_replaced() -> None:
    captured, *buffers = Block(arg_types=[INDEX, BUFFER, BUFFER, BUFFER]).args
    kernel = make_op(GemmOp, operands=buffers, properties={SEGMENTS: segments(0, 3)})
    assert tuple(kernel.captures) == () and tuple(kernel.buffers) == tuple(buffers)
    kernel.operands = [captured, *buffers]
    kernel.set_segments(1)
    assert tuple(kernel.captures) == (captured,) and tuple(kernel.buffers) == tuple(buffers)


def test_sizes_that_do_not_add_up_are_refused() -> None:
    op, _ = transfer(Load2DOp, (1, 1, 2))
    op.properties[SEGMENTS] = segments(1, 1, 3)
    assert isinstance(op, IRDLOperation)
    with pytest.raises(VerifyException, match="operandSegmentSizes"):
        op.verify_()
