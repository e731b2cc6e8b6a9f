"""A task of a sweep, and the networks that a process keeps from one task to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.hardware import VTAConfig
from vtac.preparation import prepare, refuse_several_functions
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.shared_fronts import SharedFronts
from vtac.targets.vta.target import VTA
from vtac.text.context import make_context
from vtac.text.source import parse_module

UNPLACED = "<network>"
"""What stands for the file of an operation that is of none: places in a text that workers get, which nobody wrote."""


@dataclass(frozen=True)
class PointJob:
    """A network by the digest of its text with its places, a configuration, and the timings to count under.

    The text may be empty where it went to the same process before: it is long, and is kept there.
    `tilings` are those of machines with larger memories and the same tiles, by the digest of the layer: the best of
    those that fit is taken, so that these layers need no search. `records` is a folder in which processes of one
    machine leave layers that they have lowered for each other; empty for none.
    """

    network: str
    text: str
    config: VTAConfig
    timings: tuple[Timing, ...]
    tilings: Mapping[str, Sequence[str]]
    records: str = ""


@dataclass
class HeldNetwork:
    """A network that this process has read, and what it was split into."""

    module: ModuleOp | None = None
    fronts: SharedFronts = field(default_factory=SharedFronts)

    def prepared(self, config: VTAConfig) -> ModuleOp:
        """A copy for a configuration. Raises `VtacError` as `vtac.preparation.prepare` does."""
        work = prepare(self.module or ModuleOp([]), VTA, config, None)
        refuse_several_functions(work)
        return work


def held_network(job: PointJob) -> HeldNetwork | None:
    """The network of a job; None where this process does not have it and the job does not bring its text."""
    held = _held(job.network)
    if held.module is None and job.text:
        held.module = parse_module(f"{job.text}\n", UNPLACED, make_context())
    return None if held.module is None else held


@lru_cache(maxsize=8)
def _held(_network: str) -> HeldNetwork:
    return HeldNetwork()
