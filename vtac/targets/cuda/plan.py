"""The launch plan of a CUDA program of several kernels: buffers, and the kernels that work on them in order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

from vtac.errors import ConfigError
from vtac.targets.cuda.launch import ELEMENT_BYTES, LaunchRecord

BufferRole = Literal["argument", "constant", "result", "scratch"]
_ROLES = ("argument", "constant", "result", "scratch")
ALIGNMENT = 256
"""What a buffer's place in the scratch memory is a multiple of, in bytes, as for memory from CUDA itself."""


@dataclass(frozen=True, slots=True)
class PlanBuffer:
    """One array in the GPU's memory: dense and row-major, in whatever shape a kernel sees it.

    Scratch buffers lie in one piece of memory from `offset` on, in bytes, together with others that are needed at
    other times: from step `first`, which writes it, to step `last`, which reads it last.
    """

    name: str
    role: BufferRole
    dtype: str
    shape: tuple[int, ...]
    offset: int | None = None
    first: int | None = None
    last: int | None = None

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * ELEMENT_BYTES[self.dtype]

    @property
    def numpy_dtype(self) -> str:
        """The numpy dtype that holds it: the same name, uint16 for bfloat16."""
        return "uint16" if self.dtype == "bfloat16" else self.dtype


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One launch: the kernel's number, and the buffers' numbers in the order of its parameters."""

    kernel: int
    buffers: tuple[int, ...]


@dataclass(frozen=True)
class LaunchPlan:
    """Kernels, each of them once, the steps that launch them one after the other, and the buffers of all steps.

    Raises `ConfigError` where a step does not fit its kernel, reads what nothing has written, or overlaps in memory
    what is still needed.
    """

    name: str
    kernels: tuple[LaunchRecord, ...]
    steps: tuple[PlanStep, ...]
    buffers: tuple[PlanBuffer, ...]
    scratch_bytes: int

    def __post_init__(self) -> None:
        written = {at for at, buffer in enumerate(self.buffers) if buffer.role in ("argument", "constant")}
        for number, step in enumerate(self.steps):
            written |= self._check_step(number, step, written)
        missing = next(
            (buffer for at, buffer in enumerate(self.buffers) if buffer.role == "result" and at not in written), None
        )
        if missing is not None:
            raise ConfigError(f"launch plan '{self.name}': no step writes result {missing.name}")
        self._check_scratch()

    def of_role(self, role: BufferRole) -> tuple[PlanBuffer, ...]:
        """The buffers of a role, in order."""
        return tuple(buffer for buffer in self.buffers if buffer.role == role)

    def _check_step(self, number: int, step: PlanStep, written: set[int]) -> set[int]:
        """What a step writes. Raises `ConfigError` for one that contradicts the kernels or the buffers."""
        where = f"launch plan '{self.name}': step {number}"
        if not 0 <= step.kernel < len(self.kernels):
            raise ConfigError(f"{where} launches kernel {step.kernel}; there are {len(self.kernels)}")
        parameters = self.kernels[step.kernel].parameters
        if len(step.buffers) != len(parameters) or any(not 0 <= at < len(self.buffers) for at in step.buffers):
            raise ConfigError(f"{where} names buffers {list(step.buffers)}; the kernel takes {len(parameters)}")
        writes: set[int] = set()
        for at, parameter in zip(step.buffers, parameters, strict=True):
            buffer = self.buffers[at]
            if (buffer.dtype, buffer.nbytes) != (parameter.dtype, parameter.nbytes):
                raise ConfigError(
                    f"{where}: buffer {buffer.name} is {buffer.dtype} {list(buffer.shape)}, parameter "
                    f"{parameter.name} {parameter.dtype} {list(parameter.shape)}"
                )
            if parameter.role == "output":
                if buffer.role not in ("scratch", "result"):
                    raise ConfigError(f"{where} writes {buffer.role} {buffer.name}")
                writes.add(at)
            elif at not in written:
                raise ConfigError(f"{where} reads {buffer.name}, which no step before it writes")
        return writes

    def _check_scratch(self) -> None:
        """Scratch buffers lie in the scratch memory, and apart from those that are needed at the same time."""
        scratch = self.of_role("scratch")
        for at, buffer in enumerate(scratch):
            offset, first, last = _placed(buffer, self.name)
            if offset % ALIGNMENT or offset + buffer.nbytes > self.scratch_bytes:
                raise ConfigError(
                    f"launch plan '{self.name}': buffer {buffer.name} lies at {offset} in {self.scratch_bytes} bytes "
                    f"of scratch memory; a multiple of {ALIGNMENT} within them is required"
                )
            for other in scratch[:at]:
                start, begin, end = _placed(other, self.name)
                apart = start + other.nbytes <= offset or offset + buffer.nbytes <= start
                if not apart and begin <= last and first <= end:
                    raise ConfigError(
                        f"launch plan '{self.name}': buffers {other.name} and {buffer.name} overlap in scratch memory "
                        "while both are needed"
                    )

    def to_json(self) -> dict[str, object]:
        """The plan as an object for JSON."""
        fields = {**asdict(self), "kernels": [kernel.fields() for kernel in self.kernels]}
        return cast("dict[str, object]", json.loads(json.dumps(fields)))

    @classmethod
    def from_json(cls, data: Mapping[str, object], source: str) -> LaunchPlan:
        """Read `to_json`'s object; `ConfigError` names `source` and the field at fault."""
        values = _fields(data, ("name", "kernels", "steps", "buffers", "scratch_bytes"), source)
        kernels = [
            LaunchRecord.from_json(json.dumps(one), f"{source}: kernels[{at}]")
            for at, one in enumerate(_items(values["kernels"], f"{source}: kernels"))
        ]
        steps = [_step(one, f"{source}: steps[{at}]") for at, one in enumerate(_items(values["steps"], source))]
        buffers = [_buffer(one, f"{source}: buffers[{at}]") for at, one in enumerate(_items(values["buffers"], source))]
        name, scratch = values["name"], values["scratch_bytes"]
        if not isinstance(name, str) or not isinstance(scratch, int):
            raise ConfigError(
                f"{source}: name is {name!r}, scratch_bytes {scratch!r}; a string and an integer are required"
            )
        return cls(name, tuple(kernels), tuple(steps), tuple(buffers), scratch)


def _placed(buffer: PlanBuffer, plan: str) -> tuple[int, int, int]:
    if buffer.offset is None or buffer.first is None or buffer.last is None:
        raise ConfigError(f"launch plan '{plan}': scratch buffer {buffer.name} has no place: offset, first and last")
    return buffer.offset, buffer.first, buffer.last


def place_scratch(buffers: Sequence[PlanBuffer]) -> tuple[list[PlanBuffer], int]:
    """Scratch buffers with their places, the largest placed first and each as low as it can lie; bytes of all."""
    placed: dict[int, PlanBuffer] = {}
    end = 0
    for at in sorted(range(len(buffers)), key=lambda at: (-buffers[at].nbytes, at)):
        buffer = buffers[at]
        if buffer.role != "scratch" or buffer.first is None or buffer.last is None:
            continue
        offset = _lowest(buffer, list(placed.values()))
        placed[at] = PlanBuffer(buffer.name, buffer.role, buffer.dtype, buffer.shape, offset, buffer.first, buffer.last)
        end = max(end, offset + buffer.nbytes)
    return [placed.get(at, buffer) for at, buffer in enumerate(buffers)], -(-end // ALIGNMENT) * ALIGNMENT


def _lowest(buffer: PlanBuffer, others: Sequence[PlanBuffer]) -> int:
    """The lowest place that no buffer has which is needed at the same time."""
    first, last = buffer.first or 0, buffer.last or 0
    taken = sorted(
        (other.offset or 0, (other.offset or 0) + other.nbytes)
        for other in others
        if (other.first or 0) <= last and first <= (other.last or 0)
    )
    offset = 0
    for begin, end in taken:
        if offset + buffer.nbytes <= begin:
            break
        offset = max(offset, -(-end // ALIGNMENT) * ALIGNMENT)
    return offset


def _fields(data: object, names: tuple[str, ...], where: str) -> dict[str, object]:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where}: found {type(data).__name__}; a JSON object with {', '.join(names)} is required")
    values = cast("Mapping[str, object]", data)
    missing = next((name for name in names if name not in values), None)
    if missing is not None:
        raise ConfigError(f"{where}: missing field {missing}; the fields are {', '.join(names)}")
    return dict(values)


def _items(data: object, where: str) -> list[object]:
    if not isinstance(data, list):
        raise ConfigError(f"{where}: found {data!r}; a list is required")
    return cast("list[object]", data)


def _integers(data: object, where: str) -> tuple[int, ...]:
    items = _items(data, where)
    if any(type(item) is not int for item in items):
        raise ConfigError(f"{where}: found {items!r}; integers are required")
    return tuple(cast("list[int]", items))


def _step(data: object, where: str) -> PlanStep:
    values = _fields(data, ("kernel", "buffers"), where)
    (kernel,) = _integers([values["kernel"]], f"{where}: kernel")
    return PlanStep(kernel, _integers(values["buffers"], f"{where}: buffers"))


def _buffer(data: object, where: str) -> PlanBuffer:
    values = _fields(data, ("name", "role", "dtype", "shape", "offset", "first", "last"), where)
    name, role, dtype = values["name"], values["role"], values["dtype"]
    if not isinstance(name, str) or role not in _ROLES or not isinstance(dtype, str) or dtype not in ELEMENT_BYTES:
        raise ConfigError(
            f"{where}: name {name!r}, role {role!r}, dtype {dtype!r}; roles are {', '.join(_ROLES)}, dtypes "
            f"{', '.join(ELEMENT_BYTES)}"
        )
    places = [values[key] for key in ("offset", "first", "last")]
    if any(place is not None and (type(place) is not int or place < 0) for place in places):
        raise ConfigError(f"{where}: offset, first and last are {places}; numbers from 0 on or null are required")
    shape = _integers(values["shape"], f"{where}: shape")
    return PlanBuffer(name, role, dtype, shape, *cast("list[int | None]", places))


def plan_of(record: LaunchRecord, constants: Sequence[str]) -> LaunchPlan:
    """The plan of a program of one kernel: one step."""
    buffers = [
        PlanBuffer(
            p.name,
            "result" if p.role == "output" else "constant" if p.name in constants else "argument",
            p.dtype,
            p.shape,
        )
        for p in record.parameters
    ]
    return LaunchPlan(record.kernel, (record,), (PlanStep(0, tuple(range(len(buffers)))),), tuple(buffers), 0)
