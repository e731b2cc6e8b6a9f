"""The products of a warpgroup, and how their sums lie over its lanes, as records that check themselves.

Plain Python. The shapes are those of the PTX manual's section on `wgmma.mma_async`, the layout that of its figure of
the accumulator D: warp w of the four holds rows 16 w to 16 w + 15, in each 8 columns as `mma.sync` lays out its sums.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, INTEGER_COLUMNS, WARP_SIZE
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.layouts import instruction_of as mma_instruction
from vtac.errors import ConfigError

WARPS = 4
"""Warps of a warpgroup, whose numbers in the block start at a multiple of 4."""
ROWS = 64
"""m of every instruction."""
WARP_ROWS = ROWS // WARPS
COLUMNS = 8
"""Columns of a tile that a warp's sums are made of."""
MOST_COLUMNS = 256
DEPTH_BYTES = 32
"""Bytes of k of every instruction."""
_SHAPE = re.compile(r"m64n(\d+)k(\d+)")
_ACCUMULATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"f16": ("f32", "f16"), "bf16": ("f32",), "tf32": ("f32",), "s8": ("s32",), "u8": ("s32",)}
)
OPERANDS: tuple[str, ...] = tuple(_ACCUMULATORS)
"""Element types of both operands."""


@dataclass(frozen=True)
class WgmmaInstruction:
    """One `wgmma.mma_async`: D += A x B with A 64 x k of `operand`, B k x n, D 64 x n of `accumulator`.

    Raises `ConfigError` for what PTX does not have.
    """

    n: int
    operand: str
    accumulator: str

    def __post_init__(self) -> None:
        known = _ACCUMULATORS.get(self.operand)
        if known is None:
            raise ConfigError(f"wgmma of {self.operand}: the operand types are {', '.join(_ACCUMULATORS)}")
        if self.accumulator not in known:
            raise ConfigError(
                f"wgmma of {self.operand} added up in {self.accumulator}: {self.operand} is added up in "
                f"{' or '.join(known)}"
            )
        if self.n % COLUMNS or not COLUMNS <= self.n <= MOST_COLUMNS:
            raise ConfigError(f"wgmma with n {self.n}: n is a multiple of {COLUMNS} from {COLUMNS} to {MOST_COLUMNS}")
        if ELEMENT_BYTES[self.operand] == 1 and self.n not in INTEGER_COLUMNS:
            raise ConfigError(f"wgmma of {self.operand} with n {self.n}: n is 8, 24 or a multiple of 16")

    @property
    def k(self) -> int:
        """Elements of k that are multiplied."""
        return DEPTH_BYTES // ELEMENT_BYTES[self.operand]

    @property
    def shape(self) -> str:
        """As PTX writes it, `m64n256k16`."""
        return f"m{ROWS}n{self.n}k{self.k}"

    @property
    def tiles(self) -> Tiles:
        """What a warp holds of the sums: tiles of 16 x 8 as those of `mma.sync`."""
        return Tiles("accumulator", f"m16n8k{self.k}", self.accumulator, self.n // COLUMNS)

    @property
    def layout(self) -> WarpgroupLayout:
        """Where the sums are."""
        return WarpgroupLayout(self.tiles, self.n)


@dataclass(frozen=True)
class WarpgroupLayout:
    """Where each of 64 x n sums is: in which of a warpgroup's 128 lanes, and in which place of its registers.

    Raises `ConfigError` unless every sum has one place.
    """

    tiles: Tiles
    columns: int

    def __post_init__(self) -> None:
        places = [place for lane in self.places for place in lane]
        if sorted(places) != [(row, column) for row in range(ROWS) for column in range(self.columns)]:
            raise ConfigError(
                f"a layout of {ROWS} x {self.columns} sums over a warpgroup: {len(set(places))} of its {len(places)} "
                "places are different ones"
            )

    @cached_property
    def places(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Row and column of each sum that a lane holds, by lane of the warpgroup, in the order of its registers."""
        return tuple(
            tuple(
                (WARP_ROWS * warp + row, COLUMNS * tile + column)
                for tile in range(self.tiles.count)
                for row, column in self.tiles.layout.places[lane]
            )
            for warp in range(WARPS)
            for lane in range(WARP_SIZE)
        )


def columns_of(shape: str) -> int | None:
    """n of a shape such as `m64n256k16`; None for other names."""
    match = _SHAPE.fullmatch(shape)
    return int(match[1]) if match is not None else None


def instruction_of(shape: str, operand: str, accumulator: str) -> WgmmaInstruction | None:
    """The instruction of a shape and types; None where there is none."""
    columns = columns_of(shape)
    if columns is None or mma_instruction(f"m16n8k{shape.rpartition('k')[2]}", operand, accumulator) is None:
        return None
    try:
        found = WgmmaInstruction(columns, operand, accumulator)
    except ConfigError:
        return None
    return found if found.shape == shape else None
