"""Variables of a kernel's numbers, and sums that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint

from vtac.analysis.kernels.kernel_numbers import KernelNumbers, is_matrix, is_of_blocks
from vtac.analysis.nests.nest import buffer_name
from vtac.dialects.wmma import RoutineOp, VariableOp
from vtac.rewriting.edits import insert_ops

_INDEX = IndexType()

Term = tuple[AffineExpr, int]
"""An expression and the number that it is multiplied by."""
Named = tuple[int, Sequence[SSAValue]]
"""What is left of the number once names stand for the rest of it, and the names."""


class Names:
    """The variables of a kernel's numbers, at its start; those that nothing reads go again."""

    def __init__(self, kernel: FuncOp, numbers: KernelNumbers) -> None:
        self.numbers = numbers
        self._made: list[Operation] = []
        self.stages = self._named(numbers.stages_name, numbers.stages)
        self.steps = self._named("steps", numbers.steps)
        self.tile_rows = self._named("tile_rows", numbers.tile_rows)
        self.tile_columns = self._named("tile_columns", numbers.tile_columns)
        self.k_step = self._named("k_step", numbers.k_step)
        self.pitches: dict[SSAValue, SSAValue] = {}
        self.slots: dict[SSAValue, SSAValue] = {}
        for buffer, pitch in numbers.pitches.items():
            self.pitches[buffer] = self._variable(f"{buffer_name(buffer)}_pitch", self._number(pitch))
            elements = numbers.stage_elements.get(buffer)
            if elements is not None and elements % pitch == 0:
                self.slots[buffer] = self._stage(buffer, elements // pitch)
        insert_ops(self._made, InsertPoint.at_start(kernel.body.block))

    def less(self, name: SSAValue, number: int) -> list[Operation]:
        """A named number minus another: the last operation gives it."""
        constant = arith.ConstantOp(IntegerAttr(number, _INDEX))
        return [constant, arith.SubiOp(name, constant.result)]

    def of_term(self, expr: AffineExpr, factor: int, buffer: SSAValue, op: ApplyOp) -> Named | None:
        """What is left of a term's factor, and the names that it is multiplied by; None where nothing has a name."""
        numbers = self.numbers
        if isinstance(expr, AffineConstantExpr) or factor == 1:
            return None
        if factor == numbers.stage_elements.get(buffer) and buffer in self.slots:
            return 1, [self.slots[buffer]]
        pitch = numbers.pitches.get(buffer)
        if pitch is not None and factor % pitch == 0:
            left, tile = self._tile(expr, factor // pitch, numbers.tile_rows, self.tile_rows, op, buffer)
            return left, [*tile, self.pitches[buffer]]
        left, tile = self._tile(expr, factor, numbers.tile_columns, self.tile_columns, op, buffer)
        return (left, tile) if tile else None

    def _tile(
        self, expr: AffineExpr, factor: int, size: int | None, name: SSAValue | None, op: ApplyOp, buffer: SSAValue
    ) -> Named:
        """A number of rows or columns as tiles of blocks, or as steps of the sum."""
        numbers = self.numbers
        if not is_matrix(buffer):
            return factor, []
        if is_of_blocks(expr, op) and size is not None and name is not None and factor % size == 0:
            return factor // size, [name]
        step = self.k_step
        if isinstance(expr, AffineDimExpr) and numbers.k_step is not None and step is not None:
            owner = op.mapOperands[expr.position].owner
            of_steps = not isinstance(owner, Operation) and isinstance(owner.parent_op(), RoutineOp)
            if of_steps and factor % numbers.k_step == 0:
                return factor // numbers.k_step, [step]
        return factor, []

    def _stage(self, buffer: SSAValue, rows: int) -> SSAValue:
        known = {self.numbers.tile_rows: self.tile_rows, self.numbers.k_step: self.k_step}.get(rows)
        product = arith.MuliOp(known if known is not None else self._number(rows), self.pitches[buffer])
        self._made.append(product)
        return self._variable(f"{buffer_name(buffer)}_stage", product.result)

    def _named(self, name: str, number: int | None) -> SSAValue | None:
        return None if number is None else self._variable(name, self._number(number))

    def _number(self, number: int) -> SSAValue:
        self._made.append(constant := arith.ConstantOp(IntegerAttr(number, _INDEX)))
        return constant.result

    def _variable(self, name: str, value: SSAValue) -> SSAValue:
        self._made.append(variable := VariableOp(value))
        variable.result.name_hint = name
        return variable.result


@dataclass
class _Sum:
    """A sum in the making: its terms in order, those of numbers alone with the last plain ones before them."""

    op: ApplyOp
    made: list[Operation] = field(default_factory=list[Operation])
    total: SSAValue | None = None
    plain: list[AffineExpr] = field(default_factory=list[AffineExpr])

    def add_named(self, expr: AffineExpr, factor: int, names: Sequence[SSAValue]) -> None:
        self._flush()
        value = self._apply(expr if factor == 1 else expr * factor)
        for name in names:
            self.made.append(product := arith.MuliOp(value, name))
            value = product.result
        self._add(value)

    def finish(self) -> list[Operation]:
        self._flush()
        return self.made

    def _flush(self) -> None:
        """The plain terms since the last named one: together where they begin the sum, else one by one."""
        plain, self.plain = self.plain, []
        if self.total is None and plain:
            expr = plain[0]
            for other in plain[1:]:
                expr = expr + other
            self._add(self._apply(expr))
            return
        for expr in plain:
            if isinstance(expr, AffineConstantExpr) and expr.value < 0 and self.total is not None:
                number = arith.ConstantOp(IntegerAttr(-expr.value, _INDEX))
                self.made += [number, left := arith.SubiOp(self.total, number.result)]
                self.total = left.result
            else:
                self._add(self._apply(expr))

    def _apply(self, expr: AffineExpr) -> SSAValue:
        if isinstance(expr, AffineDimExpr):
            return self.op.mapOperands[expr.position]
        used = sorted(expr.used_dims())
        places = {position: AffineExpr.dimension(new) for new, position in enumerate(used)}
        dims = [places.get(position, AffineExpr.constant(0)) for position in range(self.op.map.data.num_dims)]
        moved = expr.replace_dims_and_symbols(dims, [])
        operands = [self.op.mapOperands[position] for position in used]
        self.made.append(apply := ApplyOp(operands, AffineMapAttr(AffineMap(len(used), 0, (moved,)))))
        return apply.results[0]

    def _add(self, value: SSAValue) -> None:
        if self.total is None:
            self.total = value
        else:
            self.made.append(added := arith.AddiOp(self.total, value))
            self.total = added.result


def named_sum(op: ApplyOp, terms: Sequence[Term], named: Sequence[Named | None]) -> list[Operation]:
    """The operations that add up the terms of a place, each by its names where it has some: the last one gives it."""
    made = _Sum(op)
    constant = [expr for expr, _ in terms if isinstance(expr, AffineConstantExpr)]
    last = max((at for at, found in enumerate(named) if found is None and terms[at][0] not in constant), default=None)
    for at, ((expr, factor), found) in enumerate(zip(terms, named, strict=True)):
        if found is not None:
            made.add_named(expr, *found)
        elif expr not in constant or last is None:
            made.plain.append(expr if factor == 1 else expr * factor)
            made.plain += constant if at == last else []
    return made.finish()
