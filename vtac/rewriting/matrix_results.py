"""Results of 16 bits that the lanes of a warp store together, 16 x 16 of them: `stmatrix` of four matrices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.lanes import place_of_lane
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import buffer_name, strides_of
from vtac.analysis.nests.tiles import strided_index
from vtac.analysis.tensor_cores.mma_tiles import TileAccess, no_tile
from vtac.dialects.mma import StmatrixOp
from vtac.dialects.mma.layouts import COLUMNS, CORE_ROWS, ROWS, LaneLayout
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma.declared import BY_WARPS
from vtac.rewriting.lane_results import LaneResults, Place

_BOTH = (0, 1)


@dataclass
class MatrixResults(LaneResults):
    """Collects what a lane computes, two neighbours at a time, for a store of all of it."""

    stored: list[SSAValue] = field(default_factory=list[SSAValue])

    def _write(self, results: list[SSAValue], place: Place, which: tuple[int, ...], made: list[Operation]) -> None:
        self.stored += results

    def store(
        self, access: TileAccess, layout: LaneLayout, indices: Sequence[SSAValue], lane: SSAValue
    ) -> list[Operation]:
        """The arithmetic of two tiles side by side, which `values` collect, and the store of their four matrices.

        Raises `CompileError` where none lie side by side.
        """
        self._check_guards()
        values, (major, minor) = self.values, (access.major, access.minor)
        for number, index in enumerate(indices):
            for at, piece in enumerate(layout.pieces):
                row, column = place_of_lane(lane, piece, layout.per_piece)
                loops: dict[Hashable, Linear] = {
                    major.induction_variable: row,
                    minor.induction_variable: column + number * COLUMNS,
                }
                elements = [layout.per_piece * at + one for one in _BOTH]
                self._compute([(index, one) for one in elements], loops, minor)
        block, extents = self.result.block, values.extents
        flat = strided_index(indices_of(block, len(block.inputs), extents), strides_of(block.output))
        variables = (major.induction_variable, minor.induction_variable)
        steps = [flat.coefficient(one) if flat.is_linear_in(one) else 0 for one in variables]
        if 1 not in steps:
            raise no_tile(block, f"'{buffer_name(block.output)}' has no neighbours along rows or columns of a tile")
        number = Linear.variable(lane)
        rows, columns = number.modulo(ROWS, extents), number.floor_divide(ROWS, extents) * COLUMNS
        transposed = steps[1] != 1
        if transposed:  # a lane names a column of the tile, whose eight rows lie side by side
            rows = number.floor_divide(CORE_ROWS, extents).modulo(2, extents) * CORE_ROWS
            columns = columns + number.modulo(CORE_ROWS, extents)
        place = flat.substitute(dict(zip(variables, (rows, columns), strict=True)), extents)
        offset = values.materialise(values.value(place))
        properties = {"transposed": UnitAttr()} if transposed else {}
        return [StmatrixOp(operands=[self.stored, block.output, offset], properties=properties)]

    def _compute(self, held: Sequence[tuple[SSAValue, int]], loops: dict[Hashable, Linear], minor: ForOp) -> None:
        """Two neighbours, without the guards, which leave out what nobody reads."""
        places = self.places(loops, minor)
        self._statements(self._sums(held, _BOTH), places, _BOTH, self.values.operations)

    def _check_guards(self) -> None:
        """Guards may go where all that they leave out is not stored any further, and reads nothing."""
        block, extents = self.result.block, self.values.extents
        if all(guard.bounds(extents)[0] >= 0 for guard in guards_of(block, extents)):
            return
        owner = block.output.owner
        if len(block.inputs) > 1 or not isinstance(owner, Operation) or not BY_WARPS.is_on(owner):
            raise no_tile(
                block,
                f"stmatrix stores whole matrices, and block '{block.block_name}' is guarded and reads more than sums, "
                "or is not stored further as boxes: use mma.store",
            )
