"""What a GEMM or ALU instruction touches, and the hardware traps in its indices.

Hazards follow from the loops and the micro-op list; strict execution lists the operations (`machine/tile_checks.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, Gemm
from vtac.targets.vta.proof.tiles import Indices, Loop, Tiles, bounds, kernel_tiles, reached

Loops = tuple[Loop, ...]


class Fault(NamedTuple):
    """A finding about one kernel, before it has an instruction."""

    kind: str
    buffer: MemoryName
    span: tuple[int, int]
    text: str


@dataclass(frozen=True, eq=False)
class Footprint:
    """The tiles that a kernel reads and writes, by SRAM; a kernel at fault touches none."""

    reads: tuple[tuple[MemoryName, Tiles], ...] = ()
    writes: tuple[tuple[MemoryName, Tiles], ...] = ()
    faults: tuple[Fault, ...] = ()


class _Operand(NamedTuple):
    """One index of a kernel's tile operations: its values in micro-op order and what the loops add."""

    field: str
    memory: MemoryName
    indices: Indices
    loops: Loops


def footprint(kernel: Gemm | Alu, micro_ops: Indices, config: VTAConfig) -> Footprint:
    """The footprint of a kernel whose micro-ops have shape (n, 3), n >= 1, and whose loops have at least one trip."""
    operands = _operands(kernel, micro_ops)
    faults = _out_of_range(operands, config)
    if faults:
        return Footprint(faults=tuple(faults))
    tiles: dict[str, tuple[MemoryName, Tiles]] = {
        operand.field: (operand.memory, kernel_tiles(operand.indices, operand.loops)) for operand in operands
    }
    if isinstance(kernel, Alu):
        same = kernel.use_imm and _same_index(*operands)
        reads = (tiles["dst"],) if same else (tiles["dst"], tiles["src"])
        return Footprint(reads, (tiles["dst"],), tuple(_alu_faults(kernel, *operands)))
    if kernel.reset:
        return Footprint((), (tiles["dst"],))
    return Footprint((tiles["src"], tiles["wgt"], tiles["dst"]), (tiles["dst"],))


def _operands(kernel: Gemm | Alu, micro_ops: Indices) -> list[_Operand]:
    def operand(column: int, field: str, memory: MemoryName, out: int, inner: int) -> _Operand:
        loops = (Loop(out, kernel.iter_out), Loop(inner, kernel.iter_in))
        return _Operand(field, memory, micro_ops[:, column], loops)

    dst = operand(0, "dst", "acc", kernel.dst_factor_out, kernel.dst_factor_in)
    if isinstance(kernel, Alu):
        return [dst, operand(1, "src", "acc", kernel.src_factor_out, kernel.src_factor_in)]
    if kernel.reset:
        return [dst]
    src = operand(1, "src", "inp", kernel.src_factor_out, kernel.src_factor_in)
    return [dst, src, operand(2, "wgt", "wgt", kernel.wgt_factor_out, kernel.wgt_factor_in)]


def _out_of_range(operands: list[_Operand], config: VTAConfig) -> list[Fault]:
    faults: list[Fault] = []
    for operand in operands:
        low, high = bounds(operand.indices, operand.loops)
        capacity = config.capacity(operand.memory)
        if high >= capacity:
            text = rules.beyond_index(operand.field, high, operand.memory, capacity)
            faults.append(Fault("index-range", operand.memory, (max(low, capacity), high + 1), text))
    return faults


def _same_index(one: _Operand, other: _Operand) -> bool:
    steps = all(a.step == b.step for a, b in zip(one.loops, other.loops, strict=True) if a.trips > 1)
    return steps and bool((one.indices == other.indices).all())


def _alu_faults(alu: Alu, dst: _Operand, src: _Operand) -> list[Fault]:
    faults: list[Fault] = []
    if alu.use_imm and not _same_index(dst, src):
        low, high = bounds(src.indices, src.loops)
        faults.append(Fault("immediate-source", "acc", (low, high + 1), rules.source_differs()))
    tile = _hazard(dst, dst)
    if tile is None and not alu.use_imm:
        tile = _hazard(src, dst)
    if tile is not None:
        faults.append(Fault("alu-hazard", "acc", (tile, tile + 1), rules.reads_just_written(tile)))
    return faults


def _hazard(read: _Operand, written: _Operand) -> int | None:
    """A tile that one tile operation reads and the one just before it writes, if there is one.

    Tile operations follow each other within the micro-op list, from its end to its start in the next
    inner trip, and from the last inner trip to the first in the next outer trip.
    """
    (read_out, read_in), (write_out, write_in) = read.loops, written.loops
    outer = Loop(read_out.step - write_out.step, read_out.trips)
    inner = Loop(read_in.step - write_in.step, read_in.trips)
    steps: list[tuple[Indices, Indices, Loops]] = [(read.indices[1:], written.indices[:-1], (outer, inner))]
    if inner.trips > 1:
        first = read.indices[:1] + read_in.step
        steps.append((first, written.indices[-1:], (outer, inner._replace(trips=inner.trips - 1))))
    if outer.trips > 1:
        first = read.indices[:1] + read_out.step
        last = written.indices[-1:] + write_in.step * (write_in.trips - 1)
        steps.append((first, last, (outer._replace(trips=outer.trips - 1),)))
    for reads, writes, loops in steps:
        met = _meet(reads - writes, loops)
        if met is not None:
            position, trips = met
            steps_here = read.loops[: len(trips)]
            return int(reads[position]) + sum(loop.step * trip for loop, trip in zip(steps_here, trips, strict=True))
    return None


def _meet(differences: Indices, loops: Loops) -> tuple[int, tuple[int, ...]] | None:
    """The first position whose difference becomes zero in some trip of the loops, and that trip."""
    low, high = bounds(np.zeros(1, np.int64), loops)
    offsets = reached(np.zeros(1, np.int64), loops, low, high)
    for position in np.flatnonzero((-differences >= low) & (-differences <= high)):
        if offsets[-differences[position] - low]:
            return int(position), _trip(-int(differences[position]), loops)
    return None


def _trip(offset: int, loops: Loops) -> tuple[int, ...]:
    """Trips of one or two loops whose steps add up to `offset`, which the loops are known to reach."""
    (outer, *rest) = loops
    if not rest:
        return (offset // outer.step if outer.step else 0,)
    inner = rest[0]
    for trip in range(outer.trips):
        left = offset - trip * outer.step
        reach = inner.step * (inner.trips - 1)
        if min(reach, 0) <= left <= max(reach, 0) and (left % inner.step == 0 if inner.step else True):
            return trip, left // inner.step if inner.step else 0
    return 0, 0
