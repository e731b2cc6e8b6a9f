"""program.json, field by field: what each must be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.targets.vta.programs.provenance import KernelCall, Origin, StoredPart
from vtac.targets.vta.programs.saved_buffers import read_buffer
from vtac.targets.vta.programs.saving import FORMAT
from vtac.targets.vta.programs.work import Work
from vtac.targets.vta.stream.layout import Buffer

_MOST_ENTRIES = 1 << 28


@dataclass(frozen=True)
class StreamRecord:
    """What program.json says of one stream; `instructions` and `micro_ops` are numbers of entries."""

    config: VTAConfig
    instructions: int
    micro_ops: int
    buffers: tuple[Buffer, ...]
    origins: tuple[Origin, ...]
    kernels: tuple[KernelCall, ...]
    simulator_only: bool
    inputs_placed: bool
    name: str
    choices: tuple[str, ...]
    contractions: int = 0
    macs: int = 0
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Index:
    """The contents of a program.json; `path` is where it was read. Methods raise `ProgramError`."""

    fields: Mapping[str, object]
    path: Path

    @property
    def digests(self) -> dict[str, str]:
        """Digests of files by name; none in a folder that was written without.

        Raises `ProgramError` for another form.
        """
        found = self.fields.get("digests", {})
        if not isinstance(found, dict):
            raise ProgramError(f"{self.path}: 'digests' must be an object of file names and digests")
        return {str(name): str(value) for name, value in cast("dict[str, object]", found).items()}

    def device_names(self) -> list[str]:
        """The streams of a program of several, in the order of their folders.

        Raises `ProgramError` for another form.
        """
        found = self.fields.get("devices")
        try:
            return [str(record["name"]) for record in cast("list[dict[str, object]]", found)]
        except (TypeError, KeyError):
            raise ProgramError(f"{self.path}: 'devices' must be a list of objects with a 'name' each") from None

    def config(self) -> VTAConfig:
        """The hardware's configuration. Raises `ProgramError` for another form, and for a field that is missing."""
        found = self.fields.get("config")
        if not isinstance(found, dict):
            raise ProgramError(f"{self.path}: 'config' must be an object")
        known = cast("dict[str, object]", found)
        lacking = [name for name in VTAConfig().to_fields() if name not in known]
        if lacking:
            raise ProgramError(f"{self.path}: 'config' lacks {', '.join(lacking)}: a saved program states every field")
        return VTAConfig.from_fields(known, str(self.path))

    def stream(self) -> StreamRecord:
        """The description of one stream. Raises `ProgramError` for another form."""
        records = self.fields.get("buffers")
        if not isinstance(self.fields.get("config"), dict) or not isinstance(records, list):
            raise ProgramError(f"{self.path}: 'config' must be an object and 'buffers' a list")
        buffers = tuple(read_buffer(record, self.path) for record in cast("list[object]", records))
        return StreamRecord(
            self.config(),
            self._count("instructions"),
            self._count("micro_ops"),
            buffers,
            _origins(self.fields, self.path),
            _kernels(self.fields, buffers, self.path),
            self.fields.get("simulator_only") is True,
            self.fields.get("inputs_placed") is True,
            str(self.fields.get("name", "program")),
            tuple(map(str, cast("list[object]", found)))
            if isinstance(found := self.fields.get("choices", []), list)
            else (),
            self._size("contractions"),
            self._size("macs"),
            _texts(self.fields.get("layers", []), self.path),
        )

    def _size(self, name: str) -> int:
        """A number that says how much the program computes; 0 where a folder does not say it."""
        found = self.fields.get(name, 0)
        if type(found) is not int or found < 0:
            raise ProgramError(f"{self.path}: '{name}' is {found!r}; a number from 0 on is required")
        return found

    def _count(self, name: str) -> int:
        found = self.fields.get(name)
        if type(found) is not int or not 0 <= found <= _MOST_ENTRIES:
            raise ProgramError(f"{self.path}: '{name}' is {found!r}; a number from 0 to {_MOST_ENTRIES:,} is required")
        return found


def parse_index(text: bytes, path: Path) -> Index:
    """Parse a program.json. Raises `ProgramError` for another format."""
    try:
        description: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{path}: not JSON: {error}") from None
    if not isinstance(description, dict):
        raise ProgramError(f"{path}: expected a JSON object")
    known = cast("Mapping[str, object]", description)
    if type(known.get("format")) is not int or known["format"] != FORMAT:
        raise ProgramError(f"{path}: format {known.get('format')!r}; this version reads format {FORMAT}")
    return Index(known, path)


def _kernels(description: Mapping[str, object], buffers: Sequence[Buffer], path: Path) -> tuple[KernelCall, ...]:
    try:
        kernels = tuple(
            KernelCall(
                str(record["name"]),
                tuple(cast("list[str]", record["reads"])),
                tuple(cast("list[str]", record["writes"])),
                Work.from_fields(cast("Mapping[str, object]", record["work"])) if "work" in record else None,
                tuple(_part(part) for part in cast("list[object]", record.get("parts", []))),
                _texts(record.get("layers", []), path),
            )
            for record in cast("list[dict[str, object]]", description.get("kernels", []))
        )
        sizes = {buffer.name: buffer.span for buffer in buffers}
        if not {name for kernel in kernels for name in (*kernel.reads, *kernel.writes)} <= sizes.keys():
            raise KeyError
        for kernel in kernels:
            pairs = zip(kernel.writes, kernel.parts, strict=True) if kernel.parts else ()
            if any(part is not None and part.end > sizes[name] for name, part in pairs):
                raise KeyError
    except (TypeError, KeyError, ValueError):
        raise ProgramError(
            f"{path}: each of 'kernels' needs a 'name' and, as 'reads' and 'writes', lists of buffer names; "
            "'work', if any, is products, resets, alu, loaded and stored, numbers from 0 on; 'parts', if any, says for "
            "each written buffer which part of it, by 'offset', 'shape' and 'strides', or null"
        ) from None
    return kernels


def _texts(found: object, path: Path) -> tuple[str, ...]:
    """Names of layers. Raises `ProgramError` for what is no list of texts."""
    names = cast("list[object]", found) if isinstance(found, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ProgramError(f"{path}: 'layers' must be a list of names")
    return tuple(cast("list[str]", names))


def _part(record: object) -> StoredPart | None:
    """The part of a buffer that a record describes. Raises `KeyError` or `TypeError` for one that makes no sense."""
    if record is None:
        return None
    fields = cast("Mapping[str, object]", record)
    shape, strides = (tuple(cast("list[int]", fields[name])) for name in ("shape", "strides"))
    numbers = (fields["offset"], *shape, *strides)
    if len(shape) != len(strides) or any(type(number) is not int or number < 0 for number in numbers):
        raise KeyError
    return StoredPart(cast(int, fields["offset"]), shape, strides)


def _origins(description: Mapping[str, object], path: Path) -> tuple[Origin, ...]:
    sites, places = description.get("sites"), description.get("origins")
    if sites is None or places is None:
        return ()
    try:
        known = [
            Origin(str(site["op"]), str(site["location"]), str(site.get("kernel", "")))
            for site in cast("list[dict[str, object]]", sites)
        ]
        if any(type(place) is not int or place < 0 for place in cast("list[int]", places)):
            raise IndexError
        return tuple(known[place] for place in cast("list[int]", places))
    except (TypeError, KeyError, IndexError, AttributeError):
        raise ProgramError(f"{path}: 'origins' must index 'sites', each with 'op' and 'location'") from None
