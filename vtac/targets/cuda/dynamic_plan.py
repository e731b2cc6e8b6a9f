"""The launch plan of a program with a dynamic size: a plan for a stand-in, and how that for another size differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import TypeGuard, cast

from vtac.analysis.kernels.stand_ins import STAND_INS
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import ConfigError, LaunchError
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.plan import LaunchPlan, place_scratch

MOST_ELEMENTS = 2**31 - 1
SLACK = 256
"""Indices beyond the last that blocks count with, at most."""


@dataclass(frozen=True, slots=True)
class GridSize:
    """Blocks in one dimension of a kernel's grid, 0 to 2: times * ceil(size * row / step)."""

    dimension: int
    times: int
    row: int
    step: int

    def blocks(self, size: int) -> int:
        return self.times * -(-size * self.row // self.step)


@dataclass(frozen=True)
class DynamicPlan:
    """`plan` is for the size `stand_in`, a multiple of which is the first extent of every array of a dynamic size.

    `grids` are the kernels' rules, None for one that does not depend on the size; `number` is the buffer that holds it.
    """

    plan: LaunchPlan
    stand_in: int
    grids: tuple[GridSize | None, ...]
    number: str

    def shape(self, shape: Sequence[int], size: int) -> tuple[int, ...]:
        """A shape of the plan for a size."""
        if not shape or shape[0] % self.stand_in:
            return tuple(shape)
        return (shape[0] // self.stand_in * size, *shape[1:])

    def map_at(self, one: TensorMap, size: int) -> TensorMap:
        """A tensor map of the plan for a size: its array's outermost dimension is the map's last."""
        (outermost,) = self.shape(one.extents[-1:], size)
        return replace(one, extents=(*one.extents[:-1], outermost))

    def is_dynamic(self, shape: Sequence[int]) -> bool:
        return bool(shape) and shape[0] % self.stand_in == 0

    def at(self, size: int) -> LaunchPlan:
        """The plan for a size. Raises `LaunchError` for one that is not positive, or more than kernels count."""
        size = self._checked(size)
        buffers = [replace(one, shape=self.shape(one.shape, size)) for one in self.plan.buffers]
        placed, scratch = place_scratch(buffers)
        kernels = [self._kernel(record, grid, size) for record, grid in zip(self.plan.kernels, self.grids, strict=True)]
        return LaunchPlan(self.plan.name, tuple(kernels), self.plan.steps, tuple(placed), scratch)

    def _checked(self, given: object) -> int:
        """A size as an integer of Python, such as one of numpy."""
        if isinstance(given, bool) or not isinstance(given, Integral):
            raise LaunchError(f"program `{self.plan.name}` for a size of {given!r}; an integer is required")
        size = int(given)
        if size < 1:
            raise LaunchError(f"program `{self.plan.name}` for a size of {size}; 1 or more is required")
        for buffer in self.plan.buffers:
            elements = Parameter(buffer.name, "input", buffer.dtype, self.shape(buffer.shape, size + SLACK)).elements
            if self.is_dynamic(buffer.shape) and elements > MOST_ELEMENTS:
                raise LaunchError(
                    f"program `{self.plan.name}` for a size of {size:,}: `{buffer.name}` would have {elements:,} "
                    f"elements; kernels count to {MOST_ELEMENTS:,}: take it in parts"
                )
        return size

    def _kernel(self, record: LaunchRecord, rule: GridSize | None, size: int) -> LaunchRecord:
        grid = list(record.grid)
        if rule is not None:
            grid[rule.dimension] = rule.blocks(size)
        parameters = tuple(replace(one, shape=self.shape(one.shape, size)) for one in record.parameters)
        x, y, z = grid
        try:
            maps = tuple(self.map_at(one, size) for one in record.tensor_maps)
            return replace(record, grid=(x, y, z), parameters=parameters, tensor_maps=maps)
        except ConfigError as error:
            raise LaunchError(f"kernel `{record.kernel}` for a size of {size:,}: {error.message}") from None

    def to_json(self) -> dict[str, object]:
        """What a saved program says of it beside its plan."""
        grids = [None if one is None else asdict(one) for one in self.grids]
        return {"stand_in": self.stand_in, "grids": grids, "number": self.number}

    @classmethod
    def from_json(cls, plan: LaunchPlan, data: object, source: str) -> DynamicPlan:
        """Read `to_json`'s object. Raises `ConfigError`."""
        values = _object(data)
        stand_in, grids, number = (values.get(name) for name in ("stand_in", "grids", "number"))
        rules = cast("list[object]", grids) if isinstance(grids, list) else []
        is_whole = len(rules) == len(plan.kernels)
        if not (_is_integer(stand_in) and isinstance(number, str) and is_whole and _is_of(plan, stand_in, number)):
            raise ConfigError(
                f"{source}: dynamic is {data!r}; an object of stand_in, the number that stands for the size in the "
                "plan, grids, one rule per kernel, and number, the name of a constant for the size, is required"
            )
        return cls(plan, stand_in, tuple(_rule(one, source) for one in rules), number)


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_of(plan: LaunchPlan, stand_in: int, number: str) -> bool:
    """Whether a number may stand for the size in a plan, and a constant of the plan may hold the size."""
    has_size = stand_in in STAND_INS and any(
        one.shape and one.shape[0] % stand_in == 0 for one in plan.of_role("argument")
    )
    holders = [one for one in plan.of_role("constant") if one.name == number]
    return has_size and [(one.dtype, one.shape) for one in holders] == [("int32", (1,))]


def _object(data: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", data) if isinstance(data, Mapping) else {}


def _rule(data: object, source: str) -> GridSize | None:
    if data is None:
        return None
    names = ("dimension", "times", "row", "step")
    values = _object(data)
    found = [one for one in map(values.get, names) if _is_integer(one)]
    if len(found) != len(names) or not 0 <= found[0] <= 2 or min(found[1:]) < 1:
        raise ConfigError(
            f"{source}: a grid is {data!r}; an object of {', '.join(names)} is required: 0, 1 or 2, and integers from 1"
        )
    dimension, times, row, step = found
    return GridSize(dimension, times, row, step)
