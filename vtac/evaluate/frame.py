"""What is alive while a function is executed: buffers, numbers, and what all functions of a run share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import IndexType, ShapedType
from xdsl.ir import Block, Operation, SSAValue

from vtac.evaluate.buffers import Buffer
from vtac.evaluate.numbers import Array, computed_dtype
from vtac.evaluate.refusals import refused
from vtac.limits import ITERATIONS, STEP_ITERATIONS

Callee: TypeAlias = Callable[[Sequence[Array]], Sequence[Array]]
Found: TypeAlias = Buffer | Array
"""What a value is: a buffer, or a number of shape (1,) or ()."""


@dataclass
class Shared:
    """What the functions of one run share: implementations of functions, buffers of the module, and its work."""

    callees: Mapping[str, Callee] = field(default_factory=dict[str, Callee])
    globals_: dict[str, Buffer] = field(default_factory=dict[str, Buffer])
    stored: set[SSAValue] = field(default_factory=set[SSAValue])
    """Arguments of the function that is run whose buffers were written."""
    iterations: int = 0
    """Iterations so far of loops whose number was not known before."""


@dataclass
class Frame(ABC):
    """The values of one function that is being executed."""

    buffers: dict[SSAValue, Buffer] = field(default_factory=dict[SSAValue, Buffer])
    scalars: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])
    shared: Shared = field(default_factory=Shared)

    @abstractmethod
    def run(self, op: Operation) -> None:
        """Execute one operation that is no terminator. Raises `EvaluationError`."""

    def run_block(self, block: Block) -> Operation:
        """Execute a block up to its terminator, which is returned."""
        last = block.last_op
        if last is None:
            raise refused("cannot execute a block without terminator", block.parent_op())
        for op in block.ops:
            if op is not last:
                self.run(op)
        return last

    def yielded(self, block: Block) -> list[Found]:
        """Execute a block; returns what its terminator takes."""
        last = self.run_block(block)
        return [self.value(operand, last) for operand in last.operands]

    def buffer(self, value: SSAValue, op: Operation) -> Buffer:
        """The buffer that a value is. Raises `EvaluationError` for a value that is none, or not alive."""
        if value not in self.buffers:
            raise refused(f"'{value.name_hint or '?'}' of type {value.type} has no contents here", op)
        return self.buffers[value]

    def value(self, value: SSAValue, op: Operation) -> Found:
        """The buffer or the number that a value is. Raises `EvaluationError` for one that is not known."""
        found = self.scalars.get(value)
        if found is not None:
            return found
        if isinstance(value.type, ShapedType):
            return self.buffer(value, op)
        raise refused(f"'{op.name}': the scalar operand '{value.name_hint or '?'}' is no constant", op)

    def index(self, value: SSAValue, op: Operation) -> int:
        """The integer that a value is. Raises `EvaluationError` for one that is not known."""
        found = self.value(value, op)
        if isinstance(found, Buffer):
            raise refused(f"'{op.name}' takes '{value.name_hint or '?'}' for an index, which is {value.type}", op)
        return int(found.item())

    def indices(self, values: Sequence[SSAValue], op: Operation) -> list[int]:
        """The integers that values are."""
        return [self.index(value, op) for value in values]

    def bind(self, values: Sequence[SSAValue], found: Sequence[Found]) -> None:
        """Give values what they are from now on."""
        for value, one in zip(values, found, strict=True):
            if isinstance(one, Buffer):
                self.buffers[value] = one
            else:
                self.scalars[value] = one

    def bind_index(self, value: SSAValue, number: int) -> None:
        """Make a value an integer of its type."""
        dtype = np.dtype(np.int64) if isinstance(value.type, IndexType) else computed_dtype(value.type)
        self.scalars[value] = np.array([number], dtype)

    def note_write(self, buffer: Buffer, op: Operation) -> None:
        """A buffer is about to be written. Raises `EvaluationError` for one that is constant."""
        if buffer.is_constant:
            raise refused(f"'{op.name}' writes '{buffer.name}', which is constant", op)
        if buffer.origin is not None:
            self.shared.stored.add(buffer.origin)

    def spend(self, op: Operation) -> None:
        """Count an iteration of a loop. Raises `EvaluationError` for more than the limit."""
        self.shared.iterations += 1
        found = ITERATIONS.refusal(self.shared.iterations * STEP_ITERATIONS) if self.shared.iterations % 64 == 0 else ""
        if found:
            raise refused(f"'{op.name}' and the loops before it take {found}", op)


Handler: TypeAlias = Callable[[Operation, Frame], None]
"""Executes an operation of one class."""
