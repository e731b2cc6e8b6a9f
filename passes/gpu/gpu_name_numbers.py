"""gpu-name-numbers: stages, steps, tiles and pitches have names at the head of a kernel, and stand for their numbers.

before: for step < 72                                 after: stages = 4, steps = 72, pitch = 40, stage = 256 * pitch
          x[row * 640 + step % 4 * 10240]                    for step < steps
                                                               x[row * 16 * pitch + step % stages * stage]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
)
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.transforms.dead_code_elimination import dce

from vtac.analysis.carried_roles import slot_names
from vtac.analysis.gpu_indices import whole
from vtac.analysis.kernel_numbers import (
    KernelNumbers,
    buffers_of,
    is_matrix,
    is_of_blocks,
    kernel_numbers,
    terms_of,
)
from vtac.analysis.nest import buffer_name
from vtac.dialects.wmma import (
    AsyncCommitOp,
    AsyncWaitOp,
    CallOp,
    LoadMatrixSyncOp,
    RoutineOp,
    StoreMatrixSyncOp,
    VariableOp,
)
from vtac.dialects.wmma.declared import COMMENT, KERNEL
from vtac.dialects.wmma.named import known_number
from vtac.rewriting.edits import insert_ops, replace_by
from vtac.rewriting.walker import rewrite_once

_INDEX = IndexType()


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


@dataclass
class NamePlace(RewritePattern):
    """A place in a buffer with a pitch -> the place with names for pitch, stage and tile."""

    names: Names

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        buffers = set(buffers_of(op.results[0]))
        if len(buffers) != 1:
            return
        (buffer,) = buffers
        terms = list(terms_of(op.map.data.results[0]))
        named = [self._named(expr, factor, buffer, op) for expr, factor in terms]
        if not any(found is not None for found in named):
            return
        made = _Sum(op)
        constant = [expr for expr, _ in terms if isinstance(expr, AffineConstantExpr)]
        last = max(
            (at for at, found in enumerate(named) if found is None and terms[at][0] not in constant), default=None
        )
        for at, ((expr, factor), found) in enumerate(zip(terms, named, strict=True)):
            if found is not None:
                made.add_named(expr, *found)
            elif expr not in constant or last is None:
                made.plain.append(expr if factor == 1 else expr * factor)
                made.plain += constant if at == last else []
        replace_by(op, made.finish(), rewriter)

    def _named(
        self, expr: AffineExpr, factor: int, buffer: SSAValue, op: ApplyOp
    ) -> tuple[int, Sequence[SSAValue]] | None:
        """What is left of a term's factor, and the names that it is multiplied by; None where nothing has a name."""
        names, numbers = self.names, self.names.numbers
        if isinstance(expr, AffineConstantExpr) or factor == 1:
            return None
        if factor == numbers.stage_elements.get(buffer) and buffer in names.slots:
            return 1, [names.slots[buffer]]
        pitch = numbers.pitches.get(buffer)
        if pitch is not None and factor % pitch == 0:
            left, tile = self._tile(expr, factor // pitch, numbers.tile_rows, names.tile_rows, op, buffer)
            return left, [*tile, names.pitches[buffer]]
        left, tile = self._tile(expr, factor, numbers.tile_columns, names.tile_columns, op, buffer)
        return (left, tile) if tile else None

    def _tile(
        self, expr: AffineExpr, factor: int, size: int | None, name: SSAValue | None, op: ApplyOp, buffer: SSAValue
    ) -> tuple[int, Sequence[SSAValue]]:
        """A number of rows or columns as tiles of blocks, or as steps of the sum."""
        numbers = self.names.numbers
        if not is_matrix(buffer):
            return factor, []
        if is_of_blocks(expr, op) and size is not None and name is not None and factor % size == 0:
            return factor // size, [name]
        step = self.names.k_step
        if isinstance(expr, AffineDimExpr) and numbers.k_step is not None and step is not None:
            owner = op.mapOperands[expr.position].owner
            of_steps = not isinstance(owner, Operation) and isinstance(owner.parent_op(), RoutineOp)
            if of_steps and factor % numbers.k_step == 0:
                return factor // numbers.k_step, [step]
        return factor, []


@dataclass
class NameProperty(RewritePattern):
    """The pitch of a fragment's rows, and the groups of copies that are left under way, by name."""

    names: Names

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: LoadMatrixSyncOp | StoreMatrixSyncOp | AsyncWaitOp, rewriter: PatternRewriter
    ) -> None:
        if op.named is not None:
            return
        stages = self.names.stages
        if isinstance(op, AsyncWaitOp):
            made = self.names.less(stages, 2) if stages is not None else []
            name = made[-1].results[0] if made else None
        else:
            made, name = [], self.names.pitches.get(whole(op.memory))
        if name is None:
            return
        copy = type(op)(operands=[*op.operands, name], properties=op.properties)
        replace_by(op, [*made, copy], rewriter)


@dataclass
class NameIteration(RewritePattern):
    """In the pipelined loop and in front of it: how far copies run ahead, and which slot is whose, by `stages`."""

    names: Names
    stages: SSAValue

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp | arith.CmpiOp | ApplyOp, rewriter: PatternRewriter) -> None:
        if isinstance(op, scf.ForOp):
            self._loop(op, rewriter)
        elif isinstance(op, arith.CmpiOp):
            self._comparison(op, rewriter)
        else:
            self._index(op, rewriter)

    @property
    def _ahead(self) -> int:
        return (self.names.numbers.stages or 1) - 1

    def _loop(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        begins = any(isinstance(inner, AsyncCommitOp) for inner in op.body.block.ops)
        if op is self.names.numbers.loop:
            if self.names.steps is not None and known_number(op.ub) is not None:
                self._set(op, 1, [], self.names.steps, rewriter)
            slots = slot_names(op.body.block.args[1:])
            for position, argument in enumerate(op.body.block.args[1:]):
                if argument in slots and known_number(op.iter_args[position]) == self._ahead:
                    self._less(op, 3 + position, self.stages, 1, rewriter)
        elif begins and known_number(op.ub) == self._ahead:
            self._less(op, 1, self.stages, 1, rewriter)

    def _comparison(self, op: arith.CmpiOp, rewriter: PatternRewriter) -> None:
        loop = self.names.numbers.loop
        number = known_number(op.rhs)
        if loop is None or op.parent is not loop.body.block or number is None:
            return
        variable, *carried = loop.body.block.args
        if op.lhs is variable and number + self._ahead == self.names.numbers.steps and self.names.steps is not None:
            ahead = self.names.less(self.stages, 1)
            left = arith.SubiOp(self.names.steps, ahead[-1].results[0])
            self._set(op, 1, [*ahead, left], left.result, rewriter)
        elif op.lhs in slot_names(carried) and number == self._ahead:
            self._less(op, 1, self.stages, 1, rewriter)

    def _index(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        """`step % 4` and `(step + 3) % 4` by the stages, and the step `step + 3` that copies are for."""
        loop = self.names.numbers.loop
        if loop is None or list(op.mapOperands) != [loop.body.block.args[0]]:
            return
        expr = op.map.data.results[0]
        is_slot = isinstance(expr, AffineBinaryOpExpr) and expr.kind is AffineBinaryOpKind.Mod
        if is_slot and isinstance(expr, AffineBinaryOpExpr):
            if expr.rhs != AffineExpr.constant(self._ahead + 1):
                return
            expr = expr.lhs
        elif not all(isinstance(use.operation, CallOp) for use in op.results[0].uses):
            return
        value, made = op.mapOperands[0], list[Operation]()
        if expr == AffineExpr.dimension(0) + self._ahead:
            added = arith.AddiOp(value, self.stages)
            made = [added, *self.names.less(added.result, 1)]
            value = made[-1].results[0]
        elif expr != AffineExpr.dimension(0):
            return
        if is_slot:
            made.append(arith.RemSIOp(value, self.stages))
        if made:
            replace_by(op, made, rewriter)

    def _less(self, op: Operation, position: int, name: SSAValue, number: int, rewriter: PatternRewriter) -> None:
        made = self.names.less(name, number)
        self._set(op, position, made, made[-1].results[0], rewriter)

    def _set(
        self, op: Operation, position: int, made: Sequence[Operation], value: SSAValue, rewriter: PatternRewriter
    ) -> None:
        insert_ops(made, InsertPoint.before(op), rewriter)
        op.operands[position] = value
        rewriter.notify_op_modified(op)


class CommentNames(RewritePattern):
    """The first name says what the names are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        first = next((inner for inner in op.body.block.ops if isinstance(inner, VariableOp)), None)
        if first is not None and known_number(first.index) is not None and not COMMENT.is_on(first):
            COMMENT.set(first, "Sizes; pitches and stages of buffers in elements.")
            rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class GpuNameNumbers(ModulePass):
    """Give the numbers of a kernel names.

    `vtac.analysis.kernel_numbers` finds the numbers, from the whole kernel.

    requires: kernels (convert-loops-to-gpu) whose places are few terms each (gpu-hoist-indices); the last pass but for
              shared constants.
    ensures:  stages and steps of a pipeline, rows, columns and depth of a block's tile, pitches of buffers and elements
              of a stage are `wmma.variable` of numbers at the start, those that are read; places, loops, waits and
              pitches of fragments read them. Nothing that is computed changes.
    declines: nothing; kernels of several pipelines have no stages by name.
    """

    name = "gpu-name-numbers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            names = Names(kernel, kernel_numbers(kernel))
            if names.stages is not None:
                rewrite_once(kernel, NameIteration(names, names.stages))
            rewrite_once(kernel, NamePlace(names), NameProperty(names))
            dce(op)
            rewrite_once(op, CommentNames())
