"""The record of a saved CUDA program: its launch, the outputs that a caller passes, and digests of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from vtac.errors import ConfigError
from vtac.files.digests import digest
from vtac.targets.cuda.launch import LaunchRecord


@dataclass(frozen=True)
class SavedRecord:
    """What `launch.json` of a saved program says; `in_place` are names of outputs, `digests` are by name of file."""

    launch: LaunchRecord
    in_place: tuple[str, ...]
    digests: Mapping[str, str]
    cubins: Mapping[str, object] = field(default_factory=dict[str, object])
    """What there is to say of compiled kernels, by architecture."""

    @staticmethod
    def of(
        launch: LaunchRecord, in_place: tuple[str, ...], files: Mapping[str, bytes], cubins: Mapping[str, object]
    ) -> SavedRecord:
        """The record of a program with those files."""
        return SavedRecord(launch, in_place, {name: digest(data) for name, data in files.items()}, cubins)

    def text(self) -> bytes:
        """As JSON: the launch record, and after it what else there is to say."""
        fields = json.loads(self.launch.to_json())
        if self.in_place:
            fields["in_place"] = list(self.in_place)
        if self.cubins:
            fields["cubins"] = dict(self.cubins)
        return (json.dumps({**fields, "digests": dict(self.digests)}, indent=2) + "\n").encode()


def read_record(text: str, source: str) -> SavedRecord:
    """Read what `text` gave, or a launch record alone; `ConfigError` names `source` and the field at fault."""
    launch = LaunchRecord.from_json(text, source)
    fields = cast("dict[str, object]", json.loads(text))
    in_place, digests = fields.get("in_place", []), fields.get("digests", {})
    outputs = [parameter.name for parameter in launch.outputs]
    if not isinstance(in_place, list) or any(name not in outputs for name in cast("list[object]", in_place)):
        raise ConfigError(f"{source}: in_place is {in_place!r}; a list of outputs is required: {', '.join(outputs)}")
    if not isinstance(digests, dict) or any(
        type(one) is not str for one in cast("dict[str, object]", digests).values()
    ):
        raise ConfigError(f"{source}: digests is {digests!r}; an object of file names and digests is required")
    cubins = fields.get("cubins", {})
    if not isinstance(cubins, dict):
        raise ConfigError(f"{source}: cubins is {cubins!r}; an object of architectures is required")
    return SavedRecord(
        launch, tuple(cast("list[str]", in_place)), cast("dict[str, str]", digests), cast("dict[str, object]", cubins)
    )
