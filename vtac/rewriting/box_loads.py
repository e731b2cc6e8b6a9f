"""The bulk copies of one step of a pipeline: boxes, or a block's parts of those that its cluster has in common."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.bulk_copies.cluster_boxes import BoxPart, Cluster, part_of
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.scalars import scalars_behind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma import ArriveExpectOp, BoxesAttr, CopyOp, LoadOp
from vtac.errors import CompileError
from vtac.rewriting.cluster_conditions import in_any_block
from vtac.rewriting.index_values import HostValues


@dataclass
class BoxLoads:
    """Makes loads of a loop's copies, which complete the mbarriers `full`; `slots` has the elements of a stage.

    `taken` is the condition of the loop's body under which an iteration uses its boxes; of others none are loaded, but
    for a block's part of what other blocks of its cluster use.
    """

    loop: ForOp
    copies: Sequence[CopyOp]
    stages: int
    slots: Mapping[SSAValue, int]
    full: SSAValue
    cluster: Cluster | None
    taken: SSAValue | None = None
    parts: Mapping[CopyOp, BoxPart] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = self._cut()

    def of(self, iteration: Linear, extents: dict[Hashable, int]) -> list[Operation]:
        """The copies of an iteration, into its slot."""
        values = HostValues(extents)
        value = values.materialise(values.value(iteration))
        slot = iteration.modulo(self.stages, extents)
        number = values.materialise(values.value(slot))
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: value}
        behind = [op.clone(mapping) for op in self._behind()]
        every = self._asked(self.copies, slot, number, values, mapping)
        if self.taken is not None:
            tested = mapping.get(self.taken, self.taken)
            every = [_either(tested, every, self._others(slot, number, values, mapping))]
        return [*values.operations, *behind, *every]

    def _asked(
        self,
        copies: Sequence[CopyOp],
        slot: Linear,
        number: SSAValue,
        values: HostValues,
        mapping: Mapping[SSAValue, SSAValue],
    ) -> list[Operation]:
        """An arrival that expects what some copies bring, and their loads."""
        loads: list[Operation] = []
        for copy in copies:
            coordinates, taps = ([mapping.get(one, one) for one in some] for some in (copy.coordinates, copy.offsets))
            offset = Linear(constant_offset(copy)) + slot * self.slots[copy.target]
            properties: dict[str, Attribute | None] = {"boxes": copy.boxes}
            part = self.parts.get(copy)
            if part is not None and self.cluster is not None:
                offset += self.cluster.rank() * part.elements
                rank = values.materialise(values.value(self.cluster.rank()))
                moved = _moved(coordinates[part.dimension], rank, part.step)
                coordinates[part.dimension] = moved.results[0]
                loads.append(moved)
                mask = IntegerAttr(self.cluster.mask, i64)
                properties = {"boxes": BoxesAttr(part.boxes), "mask": mask}
            place = values.materialise(values.value(offset))
            operands = [copy.target, place, copy.source, coordinates, taps, self.full, number]
            loads.append(LoadOp(operands=operands, properties=properties))
        return [_expect(self.full, number, sum(copy.map.box_bytes for copy in copies)), *loads]

    def _others(
        self, slot: Linear, number: SSAValue, values: HostValues, mapping: Mapping[SSAValue, SSAValue]
    ) -> list[Operation]:
        """What a block asks for in an iteration of which it uses nothing: what others of its cluster do, or nothing."""
        nothing: list[Operation] = [_expect(self.full, number, 0)]
        if self.cluster is None or self.taken is None:
            return nothing
        tests, used = in_any_block(self.taken, self.cluster, mapping)
        if used is None:
            return nothing
        common = [copy for copy in self.copies if copy in self.parts]
        return [*tests, _either(used, self._asked(common, slot, number, values, mapping), nothing)]

    def _behind(self) -> list[Operation]:
        """What the copies, and the test whether there are any, are computed from."""
        body, test = self.loop.body.block, self.taken.owner if self.taken is not None else None
        tests = [test] if isinstance(test, Operation) and test.parent is body else []
        return [*scalars_behind([*self.copies, *tests], body), *tests]

    def _cut(self) -> dict[CopyOp, BoxPart]:
        found: dict[CopyOp, BoxPart] = {}
        if self.cluster is None:
            return found
        for copy in filter(self.cluster.shares, self.copies):
            part = part_of(copy.boxes.data, copy.map, self.cluster.blocks)
            if isinstance(part, str):
                raise CompileError(f"cluster: {part}", location_of(copy))
            found[copy] = part
        if not found:
            raise CompileError(
                f"cluster: no box of loop '{self.loop.loop_name}' is the same for the {self.cluster.blocks} blocks of "
                f"a cluster along loop '{self.cluster.loop.loop_name}': give an axis that an operand does not depend "
                "on",
                location_of(self.loop),
            )
        return found


def _either(condition: SSAValue, some: Sequence[Operation], others: Sequence[Operation]) -> scf.IfOp:
    first, second = (Region(Block([*one, scf.YieldOp()])) for one in (some, others))
    return scf.IfOp(condition, [], first, second)


def _expect(full: SSAValue, slot: SSAValue, count: int) -> ArriveExpectOp:
    return ArriveExpectOp(operands=[full, slot], properties={"bytes": IntegerAttr(count, i64)})


def constant_offset(copy: CopyOp) -> int:
    """The element of its buffer where a copy begins. Raises `CompileError` for a place that changes."""
    offset = number_of(copy.offset)
    if offset is None:
        raise CompileError("pipeline: a bulk copy to a place that changes", location_of(copy))
    return offset


def _moved(coordinate: SSAValue, rank: SSAValue, step: int) -> ApplyOp:
    """A coordinate, moved by a step for each rank."""
    moved = AffineMap(2, 0, (AffineExpr.dimension(0) + AffineExpr.dimension(1) * step,))
    return ApplyOp([coordinate, rank], AffineMapAttr(moved))
