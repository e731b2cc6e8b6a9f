"""split-intermediates: accumulators that must go through memory go there as bytes, which is all the VTA stores.

before: %sum = linalg.generic ins(%product, %other) ...     of two i32 products
after:  %b0, %b1 = the low byte of %product, and that of (%product + 128) >> 8
        %sum = linalg.generic ins(%b0, %b1, %other) ...      the bytes added up, the second shifted left by 8
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.kept_facts import facts_of
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.packing import InterleaveOp
from vtac.dialects.packing.declared import CHOICE, STEPS
from vtac.partition.alu_building import parallel
from vtac.partition.alu_operations import alu_size, operand_loops
from vtac.partition.body_parts import computed_apart, part_of
from vtac.partition.byte_parts import PartWriter, fits_in_bytes, summing_body
from vtac.partition.clusters import Clusters, user_in
from vtac.rewriting.edits import stand_for
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
            writer = PartWriter(value, rewriter, InsertPoint.after(op))
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
        new = parallel(inputs, loops, op.outputs[0], summing_body(op, inputs, counts))
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
            writer = PartWriter(value, rewriter, point)
            wide = [value]
            while len(wide) < 4 and not fits_in_bytes(found, len(wide)):
                wide.append(writer.shifted(wide[-1], rounded=True))
            planes = [writer.low_byte(one) for one in wide]
            count = f"{len(planes)} planes" if len(planes) > 1 else "1 plane"
            choice = f"an i32 intermediate in {count} of bytes (the store unit writes 8 bits)"
            CHOICE.set(planes[0].owner, choice)  # pyright: ignore[reportArgumentType]
            self.stored[value] = planes
        return self.stored[value]


def _readers(
    function: FuncOp, clusters: Clusters
) -> tuple[dict[SSAValue, list[Operation]], dict[SSAValue, list[Operation]]]:
    """For each i32 value of a device function that others read: operations of the host, and of device functions.

    Both are in program order.
    """
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
            host, device = _readers(function, facts_of(ctx).of(Clusters, function.body.block))
            if any(device.values()) and rewrite_once(function, ComputeApart(device)):
                host, device = _readers(function, Clusters(function.body.block))
            ranges = TensorRanges(function.body.block)
            for value in device:
                ranges.of(value)  # as it is now: what the host reads of it is about to pass through words
            if any(host.values()):
                rewrite_once(function, StoreWords(host))
            if any(device.values()):
                rewrite_once(function, ReadBytes(device, ranges))
