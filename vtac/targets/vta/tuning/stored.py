"""The tilings that a store knows, for compilation."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError
from vtac.store.records import Outcome, digest
from vtac.store.store import Store
from vtac.targets.vta.compiler_identity import model_identity
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.known_tilings import TunedTilings
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.identity import is_tiling, layer_text, machine_text, tiling_of


@contextmanager
def stored_tilings(given: object) -> Generator[TunedTilings]:
    """The tilings of a store, or of the file of one: of each layer that with the fewest cycles, then bytes.

    Raises `CompileError` for anything else, `StoreError` for a file that is no store.
    """
    if isinstance(given, Store):
        yield tilings_in(given)
        return
    if not isinstance(given, str | Path):
        raise CompileError(
            f"schedules is a {type(given).__name__}; a vtac.store.store.Store or the path of one is required"
        )
    if not Path(given).exists():
        raise CompileError(f"there is no store '{given}': fill one with vtac tune FILE --store {given}")
    with Store(given) as store:
        yield tilings_in(store)


def tilings_in(store: Store) -> TunedTilings:
    """What a store knows when it is asked. A copy of the process reads the file by itself: SQLite asks for that."""
    here = os.getpid()

    def find(layer: Layer, config: VTAConfig) -> Tiling | None:
        if os.getpid() == here:
            return _best(store, layer, config)
        with Store(store.path) as own:
            return _best(own, layer, config)

    return TunedTilings(find)


def has_tilings(path: str | Path, config: VTAConfig) -> bool:
    """Whether a store has the tiling of any layer for this configuration, as this compiler makes programs.

    Raises `StoreError`.
    """
    with Store(path) as store:
        known = store.candidates(digest(machine_text(config, Timing.de10())), model_identity())
    return any(is_tiling(candidate) for candidate in known)


def tuned_configurations(path: str | Path) -> list[VTAConfig]:
    """The configurations for which a store has the tiling of any layer, as this compiler makes programs.

    Raises `StoreError`.
    """
    model = model_identity()
    with Store(path) as store:
        known = [one for one in store.machines(model) if any(map(is_tiling, store.candidates(one, model)))]
        texts = [(one, store.text(one)) for one in known]
    found: list[VTAConfig] = []
    for name, text in texts:
        record = cast("dict[str, dict[str, object]]", json.loads(text or '{"config": {}}'))
        config = VTAConfig.from_fields(record["config"], str(path))
        if digest(machine_text(config, Timing.de10())) == name:
            found.append(config)
    return found


def _best(store: Store, layer: Layer, config: VTAConfig) -> Tiling | None:
    machine = digest(machine_text(config, Timing.de10()))
    found = store.outcomes(digest(layer_text(layer)), machine, model_identity())
    right = [(_rank(outcome), text) for text, outcome in found.items() if outcome.is_ok]
    return tiling_of(min(right)[1]) if right else None


def _rank(outcome: Outcome) -> tuple[int, int]:
    return outcome.cycles, outcome.nbytes
