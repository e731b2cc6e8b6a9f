"""split-intermediates: accumulators that must go through memory go there as bytes, which is all the VTA stores.

before: %sum = linalg.generic ins(%product, %other) ...     of two i32 products
after:  %b0, %b1 = the low byte of %product, and that of (%product + 128) >> 8
        %sum = linalg.generic ins(%b0, %b1, %other) ...      the bytes added up, the second shifted left by 8
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.device_functions import host_functions
from vtac.analysis.tensor_ranges import Range, TensorRanges
from vtac.dialects.packing import InterleaveOp
from vtac.dialects.packing.declared import CHOICE, STEPS
from vtac.partition.alu_building import elementwise, number, parallel, put
from vtac.partition.alu_operations import alu_size, element_of, operand_loops, shape_of
from vtac.partition.body_parts import computed_apart, part_of
from vtac.partition.clusters import Clusters, user_in
from vtac.rewriting.edits import move_op, stand_for
from vtac.rewriting.walker import rewrite_once

_WORDS = "an i32 result in four planes of bytes (the store unit writes 8 bits), interleaved by the host"


@dataclass
class StoreWords(RewritePattern):
    """An i32 value that the host reads is stored as its four bytes, of which the host makes words."""

    readers: Mapping[SSAValue, Sequence[Operation]]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        for value in op.results:
            if not (readers := self.readers.get(value, ())):
                continue
            writer = _Writer(value, rewriter, InsertPoint.after(op))
            shifted: list[SSAValue] = [value]
            while len(shifted) < 4:
                shifted.append(writer.shifted(shifted[-1], rounded=False))
            planes = [writer.low_byte(one) for one in shifted]
            CHOICE.set(planes[0].owner, _WORDS)  # pyright: ignore[reportArgumentType]
            words = writer.add(InterleaveOp(operands=[planes], result_types=[value.type]), before=readers[0])
            value.replace_uses_with_if(words, lambda use, inside=readers: _is_in(use.operation, inside))


@dataclass
class ComputeApart(RewritePattern):
    """What an operation computes of another device function's value alone is computed there, before it is stored."""

    readers: Mapping[SSAValue, Collection[Operation]]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        crossing = [value for value in dict.fromkeys(op.inputs) if op in self.readers.get(value, ())]
        for value in crossing:
            apart = part_of(op, value)
            if apart is not None:
                made, new = computed_apart(op, apart)
                for one in made:
                    one.location = op.location
                made[-1].results[0].name_hint = value.name_hint
                rewriter.replace(op, [*made, new], new.results)
                op = new


@dataclass
class ReadBytes(RewritePattern):
    """An operation of one device function reads an i32 value of another as signed bytes, and adds them up.

    x is s + 256 * y, where s is its low byte with its sign, and y is (x + 128) >> 8; also where the addition
    wraps, as the sum then wraps back.
    """

    readers: dict[SSAValue, list[Operation]]
    ranges: TensorRanges
    stored: dict[SSAValue, list[SSAValue]] = field(default_factory=dict[SSAValue, "list[SSAValue]"])

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        if not any(op in self.readers.get(value, ()) for value in op.inputs):
            return
        inputs, loops = list[SSAValue](), list[tuple[int, ...]]()
        counts: list[int] = []
        for value, at in zip(op.inputs, operand_loops(op), strict=True):
            parts = self._bytes(value, rewriter) if op in self.readers.get(value, ()) else [value]
            inputs += parts
            loops += [at] * len(parts)
            counts.append(len(parts))
        new = parallel(inputs, loops, op.outputs[0], _summing_body(op, inputs, counts))
        stand_for(new, op)
        new.res[0].name_hint = op.res[0].name_hint
        STEPS.set(new, alu_size(op))
        self.ranges.rename(op.res[0], new.res[0])
        if op.res[0] in self.readers:  # what reads its result in turn knows it by the new one
            self.readers[new.res[0]] = self.readers.pop(op.res[0])
        rewriter.replace(op, new)

    def _bytes(self, value: SSAValue, rewriter: PatternRewriter) -> list[SSAValue]:
        """The bytes of a value, lowest first: as many as its bounds need."""
        if value not in self.stored:
            found = self.ranges.of(value)
            owner = value.owner
            point = InsertPoint.after(owner) if isinstance(owner, Operation) else InsertPoint.at_start(owner)
            writer = _Writer(value, rewriter, point)
            wide = [value]
            while len(wide) < 4 and not _fits(found, len(wide)):
                wide.append(writer.shifted(wide[-1], rounded=True))
            planes = [writer.low_byte(one) for one in wide]
            count = f"{len(planes)} planes" if len(planes) > 1 else "1 plane"
            choice = f"an i32 intermediate in {count} of bytes (the store unit writes 8 bits)"
            CHOICE.set(planes[0].owner, choice)  # pyright: ignore[reportArgumentType]
            self.stored[value] = planes
        return self.stored[value]


def _readers(function: FuncOp) -> tuple[dict[SSAValue, list[Operation]], dict[SSAValue, list[Operation]]]:
    """For each i32 value of a device function that others read: operations of the host, and of device functions.

    Both are in program order.
    """
    clusters = Clusters(function.body.block)
    places = {op: place for place, op in enumerate(function.body.block.ops)}
    host: dict[SSAValue, list[Operation]] = {}
    device: dict[SSAValue, list[Operation]] = {}
    for cluster in clusters.all:
        for value in clusters.escaping(cluster):
            if element_of(value) != i32:
                continue
            users = {user_in(function.body.block, use.operation) for use in value.uses}
            outside = {user for user in users if clusters.of.get(user) is not cluster}
            adding = {user for user in outside if isinstance(user, GenericOp) and _is_alu(user, clusters)}
            device[value] = sorted(adding, key=places.__getitem__)
            host[value] = sorted(outside - adding, key=places.__getitem__)
    return host, device


def _is_alu(op: GenericOp, clusters: Clusters) -> bool:
    """Whether a device function computes an operation element by element."""
    cluster = clusters.of.get(op)
    return cluster is not None and (cluster.anchor is None or cluster.anchor.op is not op)


def _is_in(op: Operation, operations: Collection[Operation]) -> bool:
    return any(outer.is_ancestor(op) for outer in operations)


def _fits(found: Range, planes: int) -> bool:
    """Whether a number of signed bytes holds a range."""
    ones = ((1 << (8 * planes)) - 1) // 255
    return -128 * ones <= found[0] and found[1] <= 127 * ones


def _summing_body(op: GenericOp, inputs: Sequence[SSAValue], counts: Sequence[int]) -> Block:
    """The body of an operation some inputs of which are now several bytes each."""
    old = op.body.clone().block
    new = Block(arg_types=[*map(element_of, inputs), element_of(op.outputs[0])])
    arguments = iter(new.args)
    for argument, count in zip(old.args, [*counts, 1], strict=True):
        parts = [next(arguments) for _ in range(count)]
        argument.replace_all_uses_with(parts[0] if count == 1 and parts[0].type == argument.type else _sum(parts, new))
    for inner in list(old.ops):
        move_op(inner, InsertPoint.at_end(new))
    return new


def _sum(parts: Sequence[SSAValue], body: Block) -> SSAValue:
    """The number whose bytes these are, lowest first."""
    *lower, highest = parts
    total = put(arith.ExtSIOp(highest, i32), body)
    for part in reversed(lower):
        shifted = put(arith.ShLIOp(total, number(8, body)), body)
        total = put(arith.AddiOp(shifted, put(arith.ExtSIOp(part, i32), body)), body)
    return total


class _Writer:
    """Inserts operations on a value after it, in order."""

    def __init__(self, value: SSAValue, rewriter: PatternRewriter, point: InsertPoint) -> None:
        self.value = value
        self.rewriter = rewriter
        self.point = point

    def add(self, *ops: Operation, before: Operation | None = None) -> SSAValue:
        for op in ops:
            owner = self.value.owner
            if isinstance(owner, Operation):
                op.location = owner.location
        self.rewriter.insert(ops, self.point if before is None else InsertPoint.before(before))
        result = ops[-1].results[0]
        result.name_hint = self.value.name_hint
        return result

    def shifted(self, value: SSAValue, *, rounded: bool) -> SSAValue:
        """What is above the low byte of a value; `rounded`, so that the low byte has its sign."""

        def body(block: Block) -> SSAValue:
            found: SSAValue = block.args[0]
            if rounded:
                found = put(arith.AddiOp(found, number(128, block)), block)
            return put(arith.ShRSIOp(found, number(8, block)), block)

        shape = shape_of(value)
        made = elementwise([value], [tuple(range(len(shape)))], shape, i32, body)
        STEPS.set(made[-1], 0)
        return self.add(*made)

    def low_byte(self, value: SSAValue) -> SSAValue:
        shape = shape_of(value)
        loops = [tuple(range(len(shape)))]
        return self.add(*elementwise([value], loops, shape, i8, lambda b: put(arith.TruncIOp(b.args[0], i8), b)))


@dataclass(frozen=True)
class SplitIntermediates(ModulePass):
    """Store as bytes what one device function computes in 32 bits and another, or the host, reads.

    Which operations make a device function is a plan of the whole host function (`Clusters`).

    requires: host functions at the integer level, products in the form of normalize-contractions.
    ensures:  no i32 value of a device function is read outside of it; as many bytes as its bounds need
              where device functions read it, the four bytes of the words where the host does. What cuts into bytes
              and adds them up bears `packing.steps`, so that the plan of device functions stays the same.
    declines: nothing.
    """

    name = "split-intermediates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, ComputeApart(_readers(function)[1]))
            host, device = _readers(function)
            ranges = TensorRanges(function.body.block)
            rewrite_once(function, StoreWords(host))
            rewrite_once(function, ReadBytes(device, ranges))
