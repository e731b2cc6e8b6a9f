"""What a store knows layers, machines and tilings by: texts that say all that counts and no name."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import lru_cache
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.store.records import Trial, canonical, digest
from vtac.targets.vta.compiler_identity import model_identity
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiling import Tiling


@lru_cache(maxsize=256)
def layer_text(layer: Layer) -> str:
    """A layer, whatever the names of its blocks."""
    return canonical(layer)


def machine_text(config: VTAConfig, timing: Timing) -> str:
    """A configuration and its timing; what the boards are called is no part of it."""
    fields = {name: value for name, value in config.to_fields().items() if name not in ("TARGET", "HW_VER")}
    timed = {name: value for name, value in asdict(timing).items() if name != "board"}
    return canonical({"config": fields, "timing": timed})


def tiling_text(tiling: Tiling) -> str:
    """A tiling; what has its default is left out."""
    chosen = {field.name: getattr(tiling, field.name) for field in fields(Tiling)}
    plain = {field.name: field.default for field in fields(Tiling)}
    return canonical({name: value for name, value in chosen.items() if value != plain[name]})


def is_tiling(text: str) -> bool:
    """Whether what was tried is a tiling: a store of sweeps has points, too."""
    return text.startswith("{")


def tiling_of(text: str) -> Tiling:
    """The tiling that a text says. Raises `VtacError` for one that says none."""
    try:
        found = cast("dict[str, object]", json.loads(text))
        tile = tuple(cast("list[int]", found.pop("tile")))
        return Tiling(tile, **found)  # pyright: ignore[reportArgumentType]
    except (KeyError, TypeError, ValueError):
        raise VtacError(f"'{text[:100]}' is no tiling: the store was written by another vtac; give another") from None


def trial_of(layer: Layer, config: VTAConfig, timing: Timing, tiling: Tiling) -> Trial:
    """What is tried when a layer gets a tiling."""
    return Trial(digest(layer_text(layer)), digest(machine_text(config, timing)), tiling_text(tiling), model_identity())
