"""Which instructions a product is scheduled for, what brings its operands, and its tiling in their space."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vtac.dialects.mma.layouts import FIRST_CAPABILITY
from vtac.dialects.tensor_maps import FIRST_CAPABILITY as FIRST_WITH_BOXES
from vtac.errors import ScheduleError
from vtac.targets.cuda.schedules.box_products import TmaMmaScheduler, TmaWgmmaScheduler
from vtac.targets.cuda.schedules.box_tilings import first_boxed, no_boxes
from vtac.targets.cuda.schedules.mma_products import MmaProductScheduler
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.roof import choose_tiling, estimate, ranked
from vtac.targets.cuda.schedules.tiling import on_groups, on_lanes, tilings
from vtac.targets.cuda.schedules.wgmma_products import WgmmaProductScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.dialects.wmma.declared import Instructions
    from vtac.targets.cuda.schedules.box_tilings import BoxProbe
    from vtac.targets.cuda.schedules.measured import Measurements
    from vtac.targets.cuda.schedules.shape import ProductShape
    from vtac.targets.cuda.schedules.tiling import ProductTiling

_FLOAT_BYTES = 4
_SCHEDULERS: tuple[type[ProductScheduler], ...] = (
    ProductScheduler,
    MmaProductScheduler,
    WgmmaProductScheduler,
    TmaMmaScheduler,
    TmaWgmmaScheduler,
)
_TURNED = (
    "operands of other than 16 bits are multiplied along k, and boxes do not transpose: pass a by rows and b "
    "transposed, or use mma.sync"
)
_NAMES = ("", "mma.sync, ", "wgmma, ", "mma.sync of boxes, ", "wgmma of boxes, ")


@dataclass
class Products:
    """One product as each kind of instructions takes it, of elements of so many bytes, on an architecture.

    `probe` tells which tiles of the operands are boxes. `specialize`: whether warps of their own ask for boxes; None
    leaves it to the estimate. `clusters`: whether blocks may form some. `whole_rows`: whether those of a block have to
    divide those of the product, which stand for a dynamic size. `cuts_floats`: what wgmma makes of f32, cut to tf32, is
    allowed. `declines` says why a tiling whose operands are boxes is none of those that are wanted.
    """

    shape: ProductShape
    element_bytes: int
    architecture: GpuArchitecture | None
    probe: BoxProbe
    specialize: bool | None = None
    clusters: bool = True
    whole_rows: bool = False
    cuts_floats: bool = False
    declines: Callable[[ProductShape, ProductTiling], str] | None = None

    @cached_property
    def kinds(self) -> tuple[ProductShape | None, ...]:
        """The shape for WMMA, mma.sync, wgmma, and the latter two with boxes; None where boxes would have to turn."""
        shape, width = self.shape, self.element_bytes
        boxed = [shape.for_boxes(width, groups=groups) for groups in (False, True)]
        return shape, shape.for_lanes(width), shape.for_groups(width), *boxed

    def choose(
        self, instructions: Instructions, place: int = 0, measured: Measurements | None = None
    ) -> tuple[ProductShape, ProductTiling]:
        """The shape as its instructions take it, and its tiling: `place` counts from that of least estimated time.

        What was measured goes first, of whichever instructions. `estimated` takes those of the shortest estimate; wgmma
        is not among them for floats, which it cuts to tf32 where the others round. Raises `ScheduleError` for
        instructions that the architecture does not have, or that have no tiling for the product.
        """
        sizes = [one.size(self.element_bytes) for one in self.kinds if one is not None]
        fastest = None if measured is None or place else measured.fastest(sizes, self.architecture)
        if fastest is not None:
            return self.shape_of(fastest), fastest
        if instructions == "tma":
            return self.boxed(place)
        found = [(one, self._tiling(one, place)) for one in self._allowed(instructions)]
        if instructions == "estimated":
            found.extend(one for one in self._boxed(place)[0] if self._rounds(one[0]))
        return min(found, key=self._cycles)

    def boxed(self, place: int = 0) -> tuple[ProductShape, ProductTiling]:
        """The same with operands in boxes. Raises `ScheduleError`, with what the best tiling lacks, where none has."""
        probe = self.require_boxes()
        found, lacks = self._boxed(place)
        if not found and self.declines is not None:  # the best of the others, which a schedule refuses
            found, lacks = replace(self, declines=None)._boxed(place)
        if not found:
            raise no_boxes(probe, self.shape.sizes, lacks)
        return min(found, key=self._cycles)

    def require_boxes(self) -> BoxProbe:
        """What tells which tiles are boxes. Raises `ScheduleError` where no operand comes so, whatever the tiling."""
        missing = what_is_missing("tma", self.architecture)
        if missing:
            raise ScheduleError(missing)
        if not self._box_shapes:
            raise ScheduleError(_TURNED)
        return self.probe

    def shape_of(self, tiling: ProductTiling) -> ProductShape:
        """The shape as a tiling takes it. Raises `ScheduleError` where its operands cannot come as the tiling says."""
        found = self.kinds[_kind(tiling)]
        if found is None:
            raise ScheduleError(_TURNED)
        return found

    @property
    def _box_shapes(self) -> list[ProductShape]:
        """Those of boxes; floats are cut to tf32 where that is allowed."""
        return [one for one in self.kinds[3:] if one is not None and (self.cuts_floats or self._rounds(one))]

    def _rounds(self, shape: ProductShape) -> bool:
        """Whether floats are rounded to the nearest, where they become tf32."""
        return self.element_bytes < _FLOAT_BYTES or not on_groups(shape.fragment)

    def _boxed(self, place: int) -> tuple[list[tuple[ProductShape, ProductTiling]], tuple[ProductTiling, str] | None]:
        """Of each kind the tiling at a place of those whose tiles are boxes, and what the best of others lacks."""
        found: list[tuple[ProductShape, ProductTiling]] = []
        lacks: tuple[ProductTiling, str] | None = None
        if self.architecture is None:
            return found, lacks
        for shape in self._box_shapes:
            every = ranked(shape.size(self.element_bytes), self.architecture)
            wanted = [one for one in every if self._is_wanted(shape, one)]
            if self.declines is not None:
                wanted = [one for one in wanted if not self.declines(shape, one)]
            tiling, missing = first_boxed(self.probe, shape.sizes[2], wanted, place)
            lacks = lacks or missing
            if tiling is not None:
                found.append((shape, tiling))
        return found, lacks

    def _is_wanted(self, shape: ProductShape, tiling: ProductTiling) -> bool:
        """Whether a tiling of boxes has the roles, the clusters and the rows that are asked for."""
        roles = self.specialize in (None, tiling.producers > 0)
        return roles and (self.clusters or tiling.cluster == 1) and self._has_whole_rows(shape, tiling)

    def _has_whole_rows(self, shape: ProductShape, tiling: ProductTiling) -> bool:
        return not self.whole_rows or shape.is_batch or shape.sizes[0] % tiling.block[0] == 0

    def _tiling(self, shape: ProductShape, place: int) -> ProductTiling:
        size = shape.size(self.element_bytes)
        if not self.whole_rows:
            return choose_tiling(size, self.architecture, place)
        found = [one for one in ranked(size, self.architecture) if self._has_whole_rows(shape, one)]
        return found[place] if place < len(found) else choose_tiling(size, self.architecture, place)

    def _cycles(self, choice: tuple[ProductShape, ProductTiling]) -> float:
        shape, tiling = choice
        return estimate(tiling, shape.size(self.element_bytes), self.architecture).cycles

    def _allowed(self, instructions: Instructions) -> Sequence[ProductShape]:
        """The shapes that compete without boxes: of WMMA, mma.sync, wgmma, or of all that the architecture has."""
        wmma, lanes, groups = (one for one in self.kinds[:3] if one is not None)
        record = self.architecture
        has = record is not None and record.compute_capability >= FIRST_CAPABILITY
        missing = what_is_missing(instructions, record)
        if missing:
            raise ScheduleError(f"`wmma.instructions` asks for {instructions}: {missing}")
        if instructions == "mma.sync":
            return [lanes]
        fits = any(True for _ in tilings(groups.size(self.element_bytes), record))
        if instructions == "wgmma":
            _require_groups(wmma, fits=fits)
            return [groups]
        if instructions != "estimated" or not has:
            return [wmma]
        return [wmma, lanes, *([groups] if fits and self.element_bytes < _FLOAT_BYTES else ())]


def _kind(tiling: ProductTiling) -> int:
    """Which of the kinds a tiling is of."""
    plain = 2 if on_groups(tiling.fragment) else int(on_lanes(tiling.fragment))
    return plain + 2 if tiling.boxes and plain else plain


def what_is_missing(instructions: Instructions, architecture: GpuArchitecture | None) -> str:
    """Why an architecture, or none that is named, has not what instructions need; empty where it has, or none do."""
    if architecture is None:
        return {
            "wgmma": "the program is for no architecture; sm_90a has it, and no other: name it",
            "tma": "bulk copies are of sm_90 and later, and the program is for no architecture; name one",
        }.get(instructions, "")
    name, capability = architecture.name, architecture.compute_capability
    if instructions == "mma.sync" and capability < FIRST_CAPABILITY:
        return f"{name} has no mma.sync of 32 bytes of k; sm_80 and later have"
    if instructions == "wgmma" and not architecture.warpgroup_products:
        return f"{name} has no wgmma; sm_90a has it, and no other"
    if instructions == "tma" and capability < FIRST_WITH_BOXES:
        return f"{name} has no bulk copies of tensors; sm_90 and later have"
    return ""


def _require_groups(shape: ProductShape, *, fits: bool) -> None:
    if not fits:
        m, n, k = shape.sizes
        raise ScheduleError(
            f"no tiling of wgmma is for a product of {m} x {n} x {k}: blocks of 64 rows and 16 columns or more, and "
            "steps of 32 bytes of k or more, go no further beyond it than to whole tiles; use mma.sync"
        )


def scheduler_of(tiling: ProductTiling) -> type[ProductScheduler]:
    """What makes the schedule of a tiling."""
    return _SCHEDULERS[_kind(tiling)]


def name_of(tiling: ProductTiling) -> str:
    """A tiling in words, with its instructions where they are not WMMA's, and what brings its operands."""
    along = "rows" if tiling.shares_columns else "columns"
    clusters = f", clusters of {tiling.cluster} along {along}" if tiling.cluster > 1 else ""
    return f"{_NAMES[_kind(tiling)]}{tiling}{', specialized' if tiling.producers else ''}{clusters}"
