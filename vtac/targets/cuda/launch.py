"""The launch record: all that a CUDA kernel's text does not say about how to start it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Literal, cast

from vtac.dialects.clusters import MOST_CLUSTER
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import ConfigError
from vtac.targets.cuda.map_record import map_fields, read_map

Role = Literal["input", "output"]
Extent3 = tuple[int, int, int]

ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {"float16": 2, "bfloat16": 2, "float32": 4, "int8": 1, "uint8": 1, "int32": 4, "float64": 8}
)
"""Bytes of one element by dtype name; bfloat16 travels in numpy arrays of uint16."""

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_GRID_LIMIT = (2**31 - 1, 65535, 65535)
_BLOCK_LIMIT = (1024, 1024, 64)
_THREADS_PER_BLOCK = 1024
_KEYS = ("kernel", "grid", "block", "shared_bytes", "parameters")
_MORE_KEYS = ("tensor_maps", "cluster")
"""Of kernels that have some: others say nothing of them."""
SAVED_KEYS = ("in_place", "digests", "cubins")
"""What a saved program says in its record besides."""
_PARAMETER_KEYS = ("name", "role", "dtype", "shape")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One pointer parameter of a kernel: a dense row-major array of `shape`."""

    name: str
    role: Role
    dtype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.name):
            raise ConfigError(f"launch parameter {self.name!r}: a C++ identifier is required")
        if self.role not in ("input", "output"):
            raise ConfigError(f"launch parameter {self.name}: role {self.role!r} is neither 'input' nor 'output'")
        if self.dtype not in ELEMENT_BYTES:
            known = ", ".join(ELEMENT_BYTES)
            raise ConfigError(f"launch parameter {self.name}: dtype {self.dtype!r}; the dtypes are {known}")
        if any(extent < 1 for extent in self.shape):
            raise ConfigError(f"launch parameter {self.name}: shape {list(self.shape)}; every extent must be positive")

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * ELEMENT_BYTES[self.dtype]

    @property
    def numpy_dtype(self) -> str:
        """The numpy dtype that holds it: the same name, uint16 for bfloat16."""
        return "uint16" if self.dtype == "bfloat16" else self.dtype


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """How to start one kernel; `grid` in blocks and `block` in threads, as (x, y, z).

    `shared_bytes` is the dynamic shared memory of the launch: 0 for a kernel whose shared
    arrays are all static. `tensor_maps` of arrays among the parameters are parameters themselves, after all arrays.
    `cluster` has the blocks of each thread-block cluster, which the text says, too (`__cluster_dims__`); the grid is
    made of whole clusters. Raises `ConfigError` beyond CUDA's limits on grids and blocks.
    """

    kernel: str
    grid: Extent3
    block: Extent3
    shared_bytes: int
    parameters: tuple[Parameter, ...]
    tensor_maps: tuple[TensorMap, ...] = ()
    cluster: Extent3 | None = None

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.kernel):
            raise ConfigError(f"launch record: kernel {self.kernel!r}; a C++ identifier is required")
        _check_extents("grid", self.grid, _GRID_LIMIT)
        _check_extents("block", self.block, _BLOCK_LIMIT)
        if self.threads > _THREADS_PER_BLOCK:
            raise ConfigError(
                f"launch record: block {list(self.block)} has {self.threads} threads; "
                f"CUDA allows {_THREADS_PER_BLOCK}: bind fewer or shorter loops to threadIdx"
            )
        if self.shared_bytes < 0:
            raise ConfigError(f"launch record: shared_bytes is {self.shared_bytes}; it cannot be negative")
        names = [parameter.name for parameter in self.parameters]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ConfigError(f"launch record: parameter {repeated[0]} is named twice; names must differ")
        for one in self.tensor_maps:
            self._check_map(one)
        if self.cluster is not None:
            _check_cluster(self.cluster, self.grid)

    def _check_map(self, one: TensorMap) -> None:
        """A map is of one of the arrays, and reaches no further than it does."""
        array = next((parameter for parameter in self.parameters if parameter.name == one.array), None)
        if array is None or array.dtype != one.dtype:
            found = "no parameter has that name" if array is None else f"it holds {array.dtype}, the map {one.dtype}"
            raise ConfigError(f"launch record: tensor map of '{one.array}': {found}")
        last = sum((extent - 1) * stride for extent, stride in zip(one.extents[1:], one.strides, strict=True))
        reach = last + one.extents[0] * one.element_bytes
        if reach > array.nbytes:
            raise ConfigError(
                f"launch record: tensor map of '{one.array}' reaches {reach} bytes far; the array has {array.nbytes}"
            )

    def map_position(self, one: TensorMap) -> int:
        """The number of the parameter that a map is of."""
        return next(at for at, parameter in enumerate(self.parameters) if parameter.name == one.array)

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return math.prod(self.block)

    @property
    def cluster_blocks(self) -> int:
        """Blocks of a cluster; 1 where there are no clusters."""
        return math.prod(self.cluster or (1,))

    @property
    def blocks(self) -> int:
        """Blocks of the grid."""
        return math.prod(self.grid)

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.role == "input")

    @property
    def outputs(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.role == "output")

    def to_json(self) -> str:
        """The record as JSON text, keys in the order of the public interface."""
        return json.dumps(self.fields(), indent=2) + "\n"

    def fields(self) -> dict[str, object]:
        """The record as an object for JSON; without tensor maps or a cluster where there are none."""
        found = cast("dict[str, object]", asdict(self))
        found["tensor_maps"] = [map_fields(one) for one in self.tensor_maps]
        return {key: value for key, value in found.items() if key not in _MORE_KEYS or value}

    @classmethod
    def from_json(cls, text: str, source: str = "launch record") -> LaunchRecord:
        """Read `to_json`'s text, or a saved program's; `ConfigError` names `source` and the field at fault."""
        try:
            data: object = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{source}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
        values = _object(data, _KEYS, source, (*_MORE_KEYS, *SAVED_KEYS))
        parameters = _list(values["parameters"], f"{source}: parameters")
        maps = _list(values.get("tensor_maps", []), f"{source}: tensor_maps")
        return cls(
            kernel=_string(values["kernel"], f"{source}: kernel"),
            grid=_extent3(values["grid"], f"{source}: grid"),
            block=_extent3(values["block"], f"{source}: block"),
            shared_bytes=_integer(values["shared_bytes"], f"{source}: shared_bytes"),
            parameters=tuple(_parameter(item, f"{source}: parameters[{i}]") for i, item in enumerate(parameters)),
            tensor_maps=tuple(read_map(item, f"{source}: tensor_maps[{i}]") for i, item in enumerate(maps)),
            cluster=_extent3(values["cluster"], f"{source}: cluster") if "cluster" in values else None,
        )


def _check_extents(what: str, extents: Extent3, limits: Extent3) -> None:
    for axis, extent, limit in zip("xyz", extents, limits, strict=True):
        if not 1 <= extent <= limit:
            raise ConfigError(f"launch record: {what}.{axis} is {extent}; CUDA allows 1 to {limit}")


def _check_cluster(cluster: Extent3, grid: Extent3) -> None:
    blocks = math.prod(cluster)
    if min(cluster) < 1 or not 1 < blocks <= MOST_CLUSTER:
        raise ConfigError(
            f"launch record: cluster {list(cluster)} has {blocks} blocks; 2 to {MOST_CLUSTER} are possible on every "
            "architecture that has clusters"
        )
    for axis, extent, part in zip("xyz", grid, cluster, strict=True):
        if extent % part:
            raise ConfigError(
                f"launch record: grid.{axis} is {extent}, and clusters have {part} blocks along it; whole clusters are "
                "required"
            )


def _parameter(data: object, where: str) -> Parameter:
    values = _object(data, _PARAMETER_KEYS, where)
    shape = _list(values["shape"], f"{where}: shape")
    return Parameter(
        name=_string(values["name"], f"{where}: name"),
        role=cast("Role", _string(values["role"], f"{where}: role")),
        dtype=_string(values["dtype"], f"{where}: dtype"),
        shape=tuple(_integer(extent, f"{where}: shape") for extent in shape),
    )


def _object(data: object, keys: tuple[str, ...], where: str, more: tuple[str, ...] = ()) -> dict[str, object]:
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: found {type(data).__name__}; a JSON object with {', '.join(keys)} is required")
    values = {str(key): value for key, value in cast("dict[object, object]", data).items()}
    wrong = sorted(set(values).difference(more) ^ set(keys))
    if wrong:
        state = "unknown" if wrong[0] in values else "missing"
        raise ConfigError(f"{where}: {state} field {wrong[0]}; the fields are {', '.join(keys)}")
    return values


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list):
        raise ConfigError(f"{where}: found {data!r}; a list is required")
    return cast("list[object]", data)


def _integer(data: object, where: str) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise ConfigError(f"{where}: found {data!r}; an integer is required")
    return data


def _string(data: object, where: str) -> str:
    if not isinstance(data, str):
        raise ConfigError(f"{where}: found {data!r}; a string is required")
    return data


def _extent3(data: object, where: str) -> Extent3:
    items = [_integer(item, where) for item in _list(data, where)]
    if len(items) != 3:
        raise ConfigError(f"{where}: found {items}; three integers [x, y, z] are required")
    return items[0], items[1], items[2]
