"""How `mma.sync` spreads the elements of a tile over a warp's lanes and registers, as records that check themselves.

Plain Python. The layouts are those of the PTX manual's sections on `mma.m16n8k16`, `mma.m16n8k8` and `mma.m16n8k32`;
`ldmatrix` gives its matrices the same one. All are made of one piece, the core matrix: 8 rows of 16 bytes, of which
lane l holds 4 bytes in one register: row l / 4, and in it the l mod 4th of four pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.errors import ConfigError

CORE_ROWS = 8
"""Rows of a core matrix."""
CORE_BYTES = 16
"""Bytes of a row of a core matrix: what one lane's address names for `ldmatrix`."""
REGISTER_BYTES = 4
ROWS, COLUMNS = 16, 8
"""m and n of every instruction."""

ROLES = ("matrix_a", "matrix_b", "accumulator")


@dataclass(frozen=True)
class LaneLayout:
    """Where the elements of one tile of `rows` x `columns` are: in which lane, and in which place of its registers.

    `pieces` are the parts of the tile that a lane holds `per_piece` neighbours of, by the row and column where they
    start, in the order of the registers: of a piece, lane l has the elements from `per_piece` * (l mod 4) on of row
    l / 4, or with `by_column` of column l / 4. Raises `ConfigError` unless every element of the tile has one place.
    """

    rows: int
    columns: int
    per_piece: int
    pieces: tuple[tuple[int, int], ...]
    by_column: bool = False

    def __post_init__(self) -> None:
        places = [place for lane in self.places for place in lane]
        if sorted(places) != [(row, column) for row in range(self.rows) for column in range(self.columns)]:
            raise ConfigError(
                f"a layout of {self.rows} x {self.columns} elements over {WARP_SIZE} lanes: "
                f"{len(set(places))} of its {len(places)} places are different ones of the tile's"
            )

    @property
    def elements(self) -> int:
        """Elements of a tile that each lane holds."""
        return len(self.pieces) * self.per_piece

    @cached_property
    def places(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Row and column of each element that a lane holds, by lane, in the order of its registers."""
        return tuple(
            tuple(
                self.place(lane, piece, element)
                for piece in range(len(self.pieces))
                for element in range(self.per_piece)
            )
            for lane in range(WARP_SIZE)
        )

    def place(self, lane: int, piece: int, element: int) -> tuple[int, int]:
        """Row and column of one of a lane's elements of a piece."""
        row, column = self.pieces[piece]
        major, minor = lane // 4, lane % 4 * self.per_piece + element
        return (row + minor, column + major) if self.by_column else (row + major, column + minor)


@dataclass(frozen=True)
class MmaInstruction:
    """One `mma.sync`: D = A x B + C with A m x k of `operand`, B k x n, C and D m x n of `accumulator`.

    Raises `ConfigError` for what PTX does not have, or for which vtac has no layout.
    """

    m: int
    n: int
    k: int
    operand: str
    accumulator: str

    def __post_init__(self) -> None:
        known = _ACCUMULATORS.get(self.operand)
        if known is None:
            raise ConfigError(f"mma.sync of {self.operand}: the operand types are {', '.join(_ACCUMULATORS)}")
        if self.accumulator not in known:
            raise ConfigError(
                f"mma.sync of {self.operand} added up in {self.accumulator}: {self.operand} is added up in "
                f"{' or '.join(known)}"
            )
        if (self.m, self.n, self.k) != (ROWS, COLUMNS, 2 * CORE_BYTES // ELEMENT_BYTES[self.operand]):
            k = 2 * CORE_BYTES // ELEMENT_BYTES[self.operand]
            raise ConfigError(f"mma.sync of {self.operand} in {self.shape}: its shape is m16n8k{k}")

    @property
    def shape(self) -> str:
        """As PTX writes it, `m16n8k16`."""
        return f"m{self.m}n{self.n}k{self.k}"

    def layout(self, role: str) -> LaneLayout:
        """Of A, B (k x n) or the accumulator (C and D)."""
        return _LAYOUTS[self, role]


def _layout(one: MmaInstruction, role: str) -> LaneLayout:
    wide = CORE_BYTES // ELEMENT_BYTES[one.operand]
    per_piece = REGISTER_BYTES // ELEMENT_BYTES[one.operand]
    if role == "matrix_a":
        return LaneLayout(one.m, one.k, per_piece, ((0, 0), (CORE_ROWS, 0), (0, wide), (CORE_ROWS, wide)))
    if role == "matrix_b":
        return LaneLayout(one.k, one.n, per_piece, ((0, 0), (wide, 0)), by_column=True)
    # Two neighbouring sums of a row: one register where they are halves, else two.
    return LaneLayout(one.m, one.n, 2, ((0, 0), (CORE_ROWS, 0)))


_ACCUMULATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"f16": ("f32", "f16"), "bf16": ("f32",), "tf32": ("f32",), "s8": ("s32",), "u8": ("s32",)}
)

INSTRUCTIONS: tuple[MmaInstruction, ...] = tuple(
    MmaInstruction(ROWS, COLUMNS, 2 * CORE_BYTES // ELEMENT_BYTES[operand], operand, accumulator)
    for operand, accumulators in _ACCUMULATORS.items()
    for accumulator in accumulators
)
"""Every instruction that the mma level knows."""

_LAYOUTS: Mapping[tuple[MmaInstruction, str], LaneLayout] = MappingProxyType(
    {(one, role): _layout(one, role) for one in INSTRUCTIONS for role in ROLES}
)

SHAPES: tuple[str, ...] = tuple(dict.fromkeys(one.shape for one in INSTRUCTIONS))
"""The shapes of all instructions, as PTX writes them."""

FIRST_CAPABILITY = (8, 0)
"""The first compute capability that has all of these instructions."""


def instruction_of(shape: str, operand: str, accumulator: str) -> MmaInstruction | None:
    """The instruction of a shape and types; None where there is none."""
    wanted = (shape, operand, accumulator)
    return next((one for one in INSTRUCTIONS if (one.shape, one.operand, one.accumulator) == wanted), None)
