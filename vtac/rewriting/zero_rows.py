"""Loads of tiles that may lie wholly in the padding, or need pads over 15.

The load unit cannot load zero rows, so where one LOAD does not do it the tile is filled
from a row of zeros in DRAM (row stride 0), and the rows that exist are loaded over it.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    TensorType,
    i8,
    i32,
)
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.vta.transfers import Padding, Transfer
from vtac.dialects.frontend_memref import GlobalOp
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.memory import Load2DOp
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.padding import MAX_PAD, Padded


def zero_rows(
    module: ModuleOp,
    transfer: Transfer,
    padded: Padded,
    values: HostValues,
    load: Load2DOp,
    dram: Linear,
    sram: Linear,
) -> list[Operation]:
    """`load` where it is legal; elsewhere a fill with zeros and one load per row that exists."""
    legal = _all_of(values, [*_loadable(values, padded), *_inside(values, padded.around)])
    fill_values = HostValues(values.extents)
    fill = _fill(module, transfer, fill_values, load, sram)
    nonempty = _all_of(
        fill_values,
        [
            *(fill_values.at_least(part.size, 1) for part in (padded.x, padded.y) if part.padding is not None),
            *_inside(fill_values, padded.around),
        ],
    )
    rows = _rows(transfer, padded, values, load, dram, sram)
    guarded: list[Operation] = [rows]
    if nonempty is not None:
        guarded = [scf.IfOp(nonempty, [], [rows, scf.YieldOp()])]
    otherwise = [*fill.operations, *fill_values.operations, fill.load, *guarded]
    if legal is None:
        return [*values.operations, load]
    choice = scf.IfOp(legal, [], [load, scf.YieldOp()], [*otherwise, scf.YieldOp()])
    return [*values.operations, choice]


def _all_of(values: HostValues, conditions: list[SSAValue]) -> SSAValue | None:
    result: SSAValue | None = None
    for condition in conditions:
        result = values.both(result, condition)
    return result


def _loadable(values: HostValues, padded: Padded) -> list[SSAValue]:
    conditions: list[SSAValue] = []
    for part in (padded.x, padded.y):
        if part.padding is not None and not part.always_loadable(values.extents):
            conditions.append(values.at_least(part.size, 1))
            conditions += [values.at_least(values.subtract(MAX_PAD, pad), 0) for pad in (part.before, part.after)]
    return conditions


def _inside(values: HostValues, paddings: Sequence[Padding]) -> list[SSAValue]:
    conditions: list[SSAValue] = []
    for padding in paddings:
        conditions.append(values.at_least(values.value(padding.start), 0))
        conditions.append(values.at_least(values.value(Linear(padding.limit - 1) - padding.start), 0))
    return conditions


class _Fill:
    def __init__(self, operations: list[Operation], load: Load2DOp) -> None:
        self.operations = operations
        self.load = load


def _fill(module: ModuleOp, transfer: Transfer, values: HostValues, load: Load2DOp, sram: Linear) -> _Fill:
    zeros = _zeros(module, load.memory.data, transfer.x.extent, shape_of(transfer.block.output)[-2:])
    place = load.amount("sram")
    amounts = [0, transfer.x.extent, transfer.y.extent, 0, 0, 0, 0, 0, place]
    return _Fill([zeros], Load2DOp.build_from(load.memory.data, zeros.memref, load.on_chip, amounts))


def _zeros(module: ModuleOp, memory: str, tiles: int, tile: tuple[int, ...]) -> memref.GetGlobalOp:
    """A reference to a constant row of zero tiles; the constant is made once per size."""
    name = f"zeros_{memory}_{tiles}"
    element = i32 if memory == "acc" else i8
    shape = (tiles, *tile)
    if not any(isinstance(op, GlobalOp) and op.sym_name.data == name for op in module.ops):
        contents = DenseIntOrFPElementsAttr.from_list(TensorType(element, shape), [0])
        constant = GlobalOp.build(
            properties={
                "sym_name": StringAttr(name),
                "sym_visibility": StringAttr("private"),
                "type": MemRefType(element, shape),
                "initial_value": contents,
            }
        )
        Rewriter.insert_op(constant, InsertPoint.at_start(module.body.block))
    return memref.GetGlobalOp(name, MemRefType(element, shape))


def _rows(transfer: Transfer, padded: Padded, outer: HostValues, load: Load2DOp, dram: Linear, sram: Linear) -> ForOp:
    """One LOAD per row that exists, without pads."""
    loop = ForOp.get(transfer.y.extent, "row")
    row = Linear.variable(loop.induction_variable)
    values = HostValues({**outer.extents, loop.induction_variable: transfer.y.extent})
    start = values.value(dram + row * transfer.y.dram_stride)
    place = values.value(sram + row * transfer.x.extent)
    before = padded.x.before
    if padded.x.padding is not None:
        start = values.add(start, before)
        place = values.add(place, before)
    amounts = [start, padded.x.size, 1, 1, 0, 0, 0, 0, place]
    single = Load2DOp.build_from(load.memory.data, load.buffer, load.on_chip, amounts)
    body: list[Operation] = [single]
    if padded.y.padding is not None:
        exists = _all_of(values, _inside(values, [Padding(padded.y.padding.start + row, padded.y.padding.limit)]))
        if exists is not None:
            body = [scf.IfOp(exists, [], [single, scf.YieldOp()])]
    Rewriter.insert_op([*values.operations, *body], InsertPoint.at_end(loop.body.block))
    return loop
