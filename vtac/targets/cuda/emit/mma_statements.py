"""Statements of the mma level as CUDA C++: registers as arrays, instructions as calls of small functions."""

from __future__ import annotations

import struct

from xdsl.dialects import arith, memref
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import FloatAttr, IndexType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineDimExpr, AffineExpr

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.gpu_indices import whole
from vtac.analysis.nests.nest import element_type_of
from vtac.dialects import mma
from vtac.dialects.mma.layouts import instruction_of
from vtac.dialects.mma.ops import tiles_of
from vtac.dialects.wmma import AsyncCopyOp, VariableOp
from vtac.errors import CompileError
from vtac.targets.cuda.emit.expressions import ATOM, LOW, PRODUCT, identifier
from vtac.targets.cuda.emit.fragment_statements import FragmentStatementPrinter
from vtac.targets.cuda.emit.instructions import (
    ROUND,
    SORTING,
    copy_name,
    copy_text,
    ldmatrix_name,
    ldmatrix_text,
    mma_name,
    mma_text,
    pack_name,
    pack_text,
    paired_name,
    paired_text,
    round_text,
    sorting_text,
    stmatrix_name,
    stmatrix_text,
)
from vtac.targets.cuda.emit.types import element_bytes, scalar_type

_REGISTERS = {"f32": "float", "s32": "int"}
"""C++ types of an accumulator's registers; all others are bits."""
_PAIRS = {
    "f32": ("float2", "make_float2"),
    "f16": ("half2", "__halves2half2"),
    "bf16": ("__nv_bfloat162", "__halves2bfloat162"),
    "i32": ("int2", "make_int2"),
    "i8": ("char2", "make_char2"),
}
"""Two elements as one: the type, and the function that makes it."""


class MmaStatementPrinter(FragmentStatementPrinter):
    """Prints kernels of the wmma and the mma level."""

    def instructions(self) -> list[str]:
        """The functions that the printed statements call, each once."""
        return [line for text in self._called.values() for line in [*text, ""]]

    def __init__(self, reserved: list[str]) -> None:
        super().__init__(reserved)
        self._called: dict[str, list[str]] = {}
        self._addresses: dict[SSAValue, str] = {}

    def print_pure(self, op: Operation) -> bool:
        if isinstance(op, arith.XOrIOp) and isinstance(op.result.type, IndexType):
            self.inline[op.result] = (f"{self.text(op.lhs, ATOM)} ^ {self.text(op.rhs, ATOM)}", LOW)
            return True
        return super().print_pure(op)

    def _warp(self, op: Operation, depth: int) -> bool:
        if super()._warp(op, depth):
            return True
        if isinstance(op, mma.TilesOp):
            tiles = op.tiles.type.data
            kind = _REGISTERS.get(tiles.element, "unsigned") if tiles.role == "accumulator" else "unsigned"
            self._line(f"{kind} {self.name(op.tiles, 'tiles')}[{tiles.count}][{tiles.words}];", depth)
        elif isinstance(op, mma.FillOp):
            self._fill(op, depth)
        elif isinstance(op, mma.LdmatrixOp):
            self._ldmatrix(op, depth)
        elif isinstance(op, mma.SyncOp):
            self._sync(op, depth)
        elif isinstance(op, mma.ExtractOp):
            self._extract(op, depth)
        elif isinstance(op, mma.LoadPairOp | mma.StorePairOp):
            self._pair(op, depth)
        elif isinstance(op, mma.StmatrixOp):
            self._stmatrix(op, depth)
        elif isinstance(op, mma.InsertOp):
            place = f"{self.text(op.tiles)}[{self.text(op.index)}][{op.element.value.data}]"
            self._line(f"{place} = {self.text(op.value)};", depth)
        elif isinstance(op, mma.PackOp):
            self._pack(op, depth)
        elif isinstance(op, mma.ShuffleXorOp):
            name = self.name(op.result, "other")
            self._line(
                f"const float {name} = __shfl_xor_sync(~0u, {self.text(op.value)}, {op.mask.value.data});", depth
            )
        else:
            return False
        return True

    def _asynchronous(self, op: Operation, depth: int) -> bool:
        """Copies to what lanes name, where a condition chooses between data and zeros, are one instruction of PTX."""
        if not isinstance(op, AsyncCopyOp) or op.present is None or whole(op.target) not in self._addresses:
            return super()._asynchronous(op, depth)
        width = element_bytes(element_type_of(op.target))
        size = op.elements.value.data * width
        self._called[copy_name(size)] = copy_text(size)
        target = f"{self._addresses[whole(op.target)]} + {width} * {self.text(op.target_offset, PRODUCT + 1)}"
        self._line(f"{copy_name(size)}({target}, {self._source(op)}, {self.text(op.present)});", depth)
        self.headers.add("cuda_pipeline.h")
        return True

    def _source(self, op: AsyncCopyOp) -> str:
        """A pointer to where a variable says, plus what neighbouring copies differ by: addresses have room for it."""
        apply = op.source_offset.owner
        if whole(op.target) not in self._addresses or not isinstance(apply, ApplyOp):
            return super()._source(op)
        expression = apply.map.data.results[0]
        for position, operand in enumerate(apply.mapOperands):
            rest = _without(expression, position) if isinstance(operand.owner, VariableOp) else None
            if rest is not None:
                text, level = self.affine(rest, apply.mapOperands)
                more = text if level >= PRODUCT else f"({text})"
                return f"&{self.text(op.source)}[{self.text(operand)}] + {more}"
        return super()._source(op)

    def _array(self, op: memref.AllocOp, depth: int) -> None:
        super()._array(op, depth)
        if _is_named_by_lanes(op.memref):
            self._address(op.memref, depth)

    def _address(self, buffer: SSAValue, depth: int) -> None:
        """The address of a shared buffer as PTX takes it, under a name."""
        name = self.text(buffer)
        self._addresses[buffer] = address = self.fresh(f"{name}_address")
        place = f"static_cast<unsigned>(__cvta_generic_to_shared({name}))"
        self._line(f"const unsigned {address} = {place};", depth)

    def _fill(self, op: mma.FillOp, depth: int) -> None:
        tiles = tiles_of(op.tiles)
        if tiles.role != "accumulator":
            raise CompileError(f"tiles of {tiles.role} are not filled in CUDA text", location_of(op))
        number = self.constant(op.value)
        if tiles.element == "f16" and isinstance(op.value, FloatAttr):
            number = f"0x{2 * struct.pack('>e', op.value.value.data).hex()}u"  # both halves of a register
        self._line("#pragma unroll", depth)
        self._line(f"for (int element = 0; element < {tiles.words}; ++element) {{", depth)
        self._line(f"{self.text(op.tiles)}[{self.text(op.index)}][element] = {number};", depth + 1)
        self._line("}", depth)

    def _ldmatrix(self, op: mma.LdmatrixOp, depth: int) -> None:
        transposed, matrices, words = op.transposed is not None, op.matrices.value.data, tiles_of(op.tiles).words
        name = SORTING if op.sorts else ldmatrix_name(matrices, transposed=transposed)
        self._called[f"{name} {words}"] = (
            sorting_text() if op.sorts else ldmatrix_text(matrices, words, transposed=transposed)
        )
        first = self.text(op.index)
        more = [f"{first} + {number}" for number in range(1, op.count)]
        tiles = ", ".join(f"{self.text(op.tiles)}[{index}]" for index in (first, *more))
        width = element_bytes(element_type_of(op.memory))
        row = f"{self._addresses[whole(op.memory)]} + {width} * {self.text(op.offset, PRODUCT + 1)}"
        self._line(f"{name}({tiles}, {row});", depth)
        if tiles_of(op.tiles).element == "tf32" and op.cut is None:
            self._round_tiles(op, [first, *more], depth)

    def _round_tiles(self, op: mma.LdmatrixOp, indices: list[str], depth: int) -> None:
        self._called[ROUND] = round_text()
        self._line("#pragma unroll", depth)
        self._line(f"for (int word = 0; word < {tiles_of(op.tiles).words}; ++word) {{", depth)
        for index in indices:
            self._line(f"{ROUND}({self.text(op.tiles)}[{index}][word]);", depth + 1)
        self._line("}", depth)

    def _sync(self, op: mma.SyncOp, depth: int) -> None:
        parts = [tiles_of(value) for value in (op.accumulator, op.a, op.b)]
        instruction = instruction_of(parts[0].shape, parts[1].element, parts[0].element)
        if instruction is None:
            raise CompileError("mma.sync of tiles that no instruction has", location_of(op))
        name = mma_name(instruction)
        self._called[name] = mma_text(instruction, (parts[0].words, parts[1].words, parts[2].words))
        named = ((op.accumulator, op.accumulator_index), (op.a, op.a_index), (op.b, op.b_index))
        arguments = ", ".join(f"{self.text(tiles)}[{self.text(index)}]" for tiles, index in named)
        self._line(f"{name}({arguments});", depth)

    def _extract(self, op: mma.ExtractOp, depth: int) -> None:
        tile, number = f"{self.text(op.tiles)}[{self.text(op.index)}]", op.element.value.data
        place = f"{tile}[{number}]"
        if tiles_of(op.tiles).element == "f16":
            half = f"{tile}[{number // 2}]{' >> 16' if number % 2 else ''}"
            place = f"__ushort_as_half(static_cast<unsigned short>({half}))"
        self._line(f"const {scalar_type(op.result.type)} {self.name(op.result, 'sum')} = {place};", depth)

    def _pack(self, op: mma.PackOp, depth: int) -> None:
        element = tiles_of(op.tiles).element
        name = pack_name(element)
        self._called[name] = pack_text(element)
        sums, tile = self.text(op.sums), f"{self.text(op.tiles)}[{self.text(op.index)}]"
        for part, index in enumerate((self.text(op.first), self.text(op.second))):
            for half in range(2):
                pair = ", ".join(f"{sums}[{index}][{2 * half + at}]" for at in range(2))
                self._line(f"{tile}[{2 * part + half}] = {name}({pair});", depth)

    def _stmatrix(self, op: mma.StmatrixOp, depth: int) -> None:
        element, transposed = str(element_type_of(op.memory)), op.transposed is not None
        name, pair = stmatrix_name(op.matrices, transposed=transposed), paired_name(element)
        self._called[pair] = paired_text(element)
        self._called[name] = stmatrix_text(op.matrices, transposed=transposed)
        values = [self.text(value) for value in op.values]
        parts = [f"{pair}({values[at]}, {values[at + 1]})" for at in range(0, len(values), 2)]
        width = element_bytes(element_type_of(op.memory))
        row = f"{self._addresses[whole(op.memory)]} + {width} * {self.text(op.offset, PRODUCT + 1)}"
        self._line(f"{name}({', '.join([row, *parts])});", depth)

    def _pair(self, op: mma.LoadPairOp | mma.StorePairOp, depth: int) -> None:
        kind, make = _PAIRS[str(element_type_of(op.memory))]
        place = f"&{self.text(op.memory)}[{self.text(op.offset)}]"
        if isinstance(op, mma.StorePairOp):
            values = f"{self.text(op.first)}, {self.text(op.second)}"
            self._line(f"*reinterpret_cast<{kind} *>({place}) = {make}({values});", depth)
            return
        name = self.name(op.first, identifier("pair"))
        self._line(f"const {kind} {name} = *reinterpret_cast<const {kind} *>({place});", depth)
        self.inline[op.first] = (f"{name}.x", ATOM)
        self.inline[op.second] = (f"{name}.y", ATOM)


def _without(expr: AffineExpr, position: int) -> AffineExpr | None:
    """What is added to one of an expression's dimensions; None where that is no term of it."""
    if not isinstance(expr, AffineBinaryOpExpr) or expr.kind is not AffineBinaryOpKind.Add:
        return None
    for side, other in ((expr.lhs, expr.rhs), (expr.rhs, expr.lhs)):
        if isinstance(side, AffineDimExpr) and side.position == position:
            return other
        rest = _without(side, position)
        if rest is not None:
            return rest + other
    return None


def _is_named_by_lanes(memory: SSAValue) -> bool:
    """Whether ldmatrix loads from memory, or stmatrix stores there, or from a view of all of it."""
    users = [use.operation for use in memory.uses]
    views = [user.result for user in users if isinstance(user, memref.ReinterpretCastOp)]
    return any(isinstance(user, mma.LdmatrixOp | mma.StmatrixOp) for user in users) or any(
        map(_is_named_by_lanes, views)
    )
