"""How often accesses of shared memory wait for banks: computed from the places that a kernel's threads access.

Shared memory has 32 banks of 4 bytes. Lanes that access 16 bytes each do so eight at a time, those that access 8 bytes
sixteen at a time, all others together; each such phase takes as many turns as the bank with the most different words.
`ldmatrix` takes a phase for each of its matrices: eight rows of 16 bytes.

Every access is looked at for all warps of a block, and for the first iterations of the loops around it. What loops
carry, such as the slot of a pipeline, is looked at as 0 to 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
)

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.gpu_indices import Access, own_accesses, whole
from vtac.analysis.kernels.kernel_bounds import reaches
from vtac.analysis.kernels.kernel_places import scopes_around
from vtac.analysis.nests.nest import buffer_name, element_type_of, scope_of
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.dialects.mma import LdmatrixOp
from vtac.dialects.wgmma import DescriptorOp
from vtac.dialects.wgmma.ops import matrix_of
from vtac.dialects.wmma import LoadMatrixSyncOp, RoutineOp, StoreMatrixSyncOp, VariableOp
from vtac.dialects.wmma.declared import BLOCK
from vtac.dialects.wmma.ops import fragment_of
from vtac.errors import CompileError
from vtac.limits import shown

_BANK_BYTES = 4
_BANKS = 32
_ITERATIONS = 4
"""Iterations of each loop that are looked at."""
_MOST_THREADS = 1024
"""Of a block, on every architecture."""
_MOST_POINTS = 256
"""Combinations of iterations that are looked at of one access."""
_ROWS = 8
_VECTOR = 16
_ROW = 128
"""Elements after which places meet the same banks again, of whatever width."""
_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BankAccess:
    """An access of shared memory, and the turns that its slowest phase takes: 1 without a conflict."""

    op: Operation
    buffer: SSAValue
    writes: bool
    turns: int

    @property
    def shown(self) -> str:
        """The access in words."""
        verb = "writes" if self.writes else "reads"
        return f"'{self.op.name}' {verb} '{buffer_name(self.buffer)}' in {self.turns} turns"


def bank_accesses(kernel: FuncOp, *, fragments: bool = False) -> Iterator[BankAccess]:
    """Every access of shared memory of a kernel, in program order; places that come from data are left out.

    Which lane takes what of a fragment of WMMA, CUDA leaves open: such accesses are left out, or with `fragments`
    taken as machine code has them on sm_75 to sm_121. Raises `CompileError` for a block of more threads than any has.
    """
    extents = BLOCK.get(kernel) or (1, 1, 1)
    if prod(extents) > _MOST_THREADS:
        raise CompileError(
            f"kernel '{kernel.sym_name.data}' has blocks of {shown(prod(extents))} threads; at most {_MOST_THREADS:,} "
            "are possible: bind smaller loops to threads",
            location_of(kernel),
        )
    for op in kernel.walk():
        if isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp):
            memory = whole(op.memory)
            if fragments and scope_of(memory) == "shared":
                yield BankAccess(op, memory, isinstance(op, StoreMatrixSyncOp), _fragment_turns(op))
            continue
        if isinstance(op, DescriptorOp):
            yield BankAccess(op, whole(op.memory), False, _matrix_turns(op))
            continue
        for access in own_accesses(op):
            if scope_of(access.buffer) == "shared":
                turns = _turns(access, extents)
                if turns is not None:
                    yield BankAccess(op, access.buffer, access.writes, turns)


def _matrix_turns(op: DescriptorOp) -> int:
    """Turns for 8 rows of 16 bytes of a matrix, of m, n or k, as its descriptor says that they lie."""
    matrix = matrix_of(op.descriptor)
    along = matrix.major == "k_major"
    starts = [matrix.swizzled(matrix.place(row, 0) if along else matrix.place(0, row)) for row in range(_ROWS)]
    return _phase([range(start, start + _VECTOR) for start in starts])


def _fragment_turns(op: LoadMatrixSyncOp | StoreMatrixSyncOp) -> int:
    """Turns for one fragment: loads take eight rows of 16 bytes at a time, stores rows of 4 x 2 elements of a tile.

    Sixteen lanes store 8 bytes each, or 32 lanes 4 bytes. Where the fragment begins moves all of them alike.
    """
    fragment = fragment_of(op.fragments)
    width, pitch = ELEMENT_BYTES[fragment.element], op.leading.value.data
    if isinstance(op, LoadMatrixSyncOp) and fragment.role != "accumulator":
        return _phase([range(start := row * pitch * width, start + _VECTOR) for row in range(_ROWS)])
    pair = 2 * width
    lanes = [(row * pitch + pair_of * 2) * width for row in range(_ROWS) for pair_of in range(4)]
    together = min(WARP_SIZE, _BANKS * _BANK_BYTES // pair)
    return max(
        _phase([range(place, place + pair) for place in lanes[start : start + together]])
        for start in range(0, len(lanes), together)
    )


def _turns(access: Access, extents: tuple[int, ...]) -> int | None:
    """Turns of the slowest phase of an access; None where its places are not known."""
    loops = scopes_around(access.op)
    points = list(_points(loops))
    threads = np.arange(prod(extents))
    x, y, _ = extents
    known: dict[object, _Integers] = {"x": threads % x, "y": threads // x % y, "z": threads // x // y}
    for number, variable in enumerate(argument for loop in loops for argument in loop.body.block.args):
        known[variable] = np.array([point[number] for point in points], np.int64)[:, None]
    found = _places(access.place, known)
    if found is None:
        return None
    places = np.broadcast_to(found, (len(points), prod(extents)))
    lanes = places.reshape(-1, min(WARP_SIZE, prod(extents)))
    patterns = np.unique(lanes - lanes.min(axis=1, keepdims=True) // _ROW * _ROW, axis=0)
    return max(_phase(phase) for pattern in patterns for phase in _phases(access, [int(place) for place in pattern]))


def _points(loops: Sequence[scf.ForOp | RoutineOp]) -> Iterator[tuple[int, ...]]:
    """Iterations of loops, numbers that they may carry, and indices of a routine, as many as are looked at.

    Inner ones change first.
    """
    ranges: list[range] = []
    for loop in loops:
        if isinstance(loop, RoutineOp):
            ranges += [range(extent)[:_ITERATIONS] for extent in loop.extents.get_values()]
            continue
        bounds = [_places(bound, {}) for bound in (loop.lb, loop.ub, loop.step)]
        first, end, step = (int(bound[0]) if bound is not None else 1 for bound in bounds)
        ranges.append(range(first, end, max(step, 1))[:_ITERATIONS])
        ranges += [range(_ITERATIONS)] * (len(loop.body.block.args) - 1)
    return islice(product(*ranges), _MOST_POINTS)


def _places(value: SSAValue, known: dict[object, _Integers]) -> _Integers | None:
    """A value by iteration and thread; None where it comes from elsewhere."""
    if value not in known:
        found = _computed(value.owner, known) if isinstance(value.owner, Operation) else None
        if found is None:
            return None
        known[value] = found
    return known[value]


def _computed(owner: Operation, known: dict[object, _Integers]) -> _Integers | None:
    match owner:
        case gpu.ThreadIdOp():
            return known[str(owner.dimension.data.value)]
        case gpu.BlockIdOp():
            return np.zeros(1, np.int64)
        case arith.ConstantOp() if isinstance(owner.value, IntegerAttr):
            return np.array([owner.value.value.data], np.int64)
        case (
            ApplyOp()
            | VariableOp()
            | arith.XOrIOp()
            | arith.AddiOp()
            | arith.SubiOp()
            | arith.MuliOp()
            | arith.RemSIOp()
        ):
            operands = [_places(operand, known) for operand in owner.operands]
            given = [operand for operand in operands if operand is not None]
            return _combined(owner, given) if len(given) == len(operands) else None
        case _:
            return None


def _combined(owner: Operation, given: Sequence[_Integers]) -> _Integers:
    match owner:
        case ApplyOp():
            return _affine(owner.map.data.results[0], given)
        case arith.XOrIOp():
            return given[0] ^ given[1]
        case arith.AddiOp():
            return given[0] + given[1]
        case arith.SubiOp():
            return given[0] - given[1]
        case arith.MuliOp():
            return given[0] * given[1]
        case _:
            return given[0]


def _affine(expression: AffineExpr, dims: Sequence[_Integers]) -> _Integers:
    if isinstance(expression, AffineConstantExpr):
        return np.array([expression.value], np.int64)
    if isinstance(expression, AffineDimExpr):
        return dims[expression.position]
    if not isinstance(expression, AffineBinaryOpExpr):
        raise ValueError(f"an index with {expression}")
    left, right = _affine(expression.lhs, dims), _affine(expression.rhs, dims)
    match expression.kind:
        case AffineBinaryOpKind.Add:
            return left + right
        case AffineBinaryOpKind.Mul:
            return left * right
        case AffineBinaryOpKind.Mod:
            return left % right
        case AffineBinaryOpKind.FloorDiv:
            return left // right
        case AffineBinaryOpKind.CeilDiv:
            return -(-left // right)


def _phases(access: Access, places: list[int]) -> Iterator[list[range]]:
    """The bytes that lanes access at the same time."""
    name = str(element_type_of(access.buffer))
    width = ELEMENT_BYTES[{"i8": "s8", "i32": "s32"}.get(name, name)]
    span = next(reach.span for reach in reaches(access.op) if reach.place is access.place) * width
    lanes = places
    if isinstance(access.op, LdmatrixOp):
        lanes = places[: _ROWS * access.op.matrices.value.data]
    together = min(WARP_SIZE, _BANKS * _BANK_BYTES // max(span, _BANK_BYTES))
    for start in range(0, len(lanes), together):
        yield [range(place * width, place * width + span) for place in lanes[start : start + together]]


def _phase(accesses: list[range]) -> int:
    """Different words of the bank that has the most."""
    words: list[set[int]] = [set() for _ in range(_BANKS)]
    for one in accesses:
        for word in range(one.start // _BANK_BYTES, (one.stop - 1) // _BANK_BYTES + 1):
            words[word % _BANKS].add(word)
    return max(len(bank) for bank in words)
