"""Tilings that were searched for before, kept on disk by layer and configuration, whatever the names in the program.

An entry is a small file, which names what it is the tiling of. What is damaged counts as missing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vtac.files.sealed import SealedTexts
from vtac.files.user_cache import tiling_entries
from vtac.targets.vta.compiler_identity import compiler_identity
from vtac.targets.vta.schedules.tiling import Tiling

if TYPE_CHECKING:
    from vtac.dialects.hardware import VTAConfig
    from vtac.targets.vta.schedules.layers import Layer

_MOST_BYTES = 1 << 16


@dataclass
class TilingCache:
    """The tilings in a folder of caches."""

    folder: Path
    decides: bool = field(default=False, init=False)
    """A search in this process has found the same."""

    def __post_init__(self) -> None:
        self._texts = SealedTexts(tiling_entries(self.folder), _MOST_BYTES)

    def find(self, layer: Layer, config: VTAConfig) -> Tiling | None:
        """The tiling that a search has found, which counts as used now; None where there is none, or a damaged one."""
        text = self._texts.find(_name(layer, config))
        try:
            return None if text is None else _read(text)
        except (ValueError, TypeError, KeyError):
            return None

    def keep(self, layer: Layer, config: VTAConfig, tiling: Tiling) -> None:
        """Keep what a search has found. A folder that cannot be written keeps nothing."""
        self._texts.keep(_name(layer, config), json.dumps(asdict(tiling)))

    def close(self) -> None:
        """Those used longest ago make room for what was kept."""
        self._texts.close()


def _name(layer: Layer, config: VTAConfig) -> str:
    parts = (compiler_identity(), json.dumps(config.to_fields()), _described(layer))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _described(value: object) -> str:
    """A text that is equal for records that are equal: fields that have no part in comparisons are left out."""
    if is_dataclass(value):
        held = ",".join(_described(getattr(value, one.name)) for one in fields(value) if one.compare)
        return f"{type(value).__name__}({held})"
    if isinstance(value, tuple):
        return f"({','.join(map(_described, cast('tuple[object, ...]', value)))})"
    return repr(value)


def _read(text: str) -> Tiling:
    found: dict[str, Any] = json.loads(text)
    tile: tuple[int, ...] = tuple(found.pop("tile"))
    return Tiling(tile, **found)
