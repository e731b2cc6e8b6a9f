"""What a worker does: build programs of tilings, prove them safe, and count their cycles and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from xdsl.dialects.builtin import ModuleOp

from vtac.collection import seldom_collected
from vtac.errors import VtacError
from vtac.passes.vta.isolate_device_functions import function_in
from vtac.rewriting.known_amounts import fix_shift_amounts
from vtac.schedule import Schedule
from vtac.store.records import Outcome
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.cycles.simulate import count_cycles
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.stream.build import build_program
from vtac.text.printing import op_text
from vtac.text.source import parse


@dataclass(frozen=True)
class Job:
    """A tiling of the one layer of a function, which stands with its configuration in a module's text."""

    text: str
    tiling: Tiling
    timing: Timing


def measure(jobs: Sequence[Job]) -> list[Outcome]:
    """What becomes of each. What the compiler refuses is an outcome, and so is what it does not survive."""
    with seldom_collected():
        return [_measured(job) for job in jobs]


def _measured(job: Job) -> Outcome:
    try:
        program = built(job)
        findings = [one for one in check(program) if not _is_of_data(one)]
        if findings:
            return Outcome("refused", message=f"not proven safe: {findings[0].message}")
        return counted(program, job.timing)
    except VtacError as error:
        return Outcome("refused", message=str(error))
    except Exception as error:
        return Outcome("failed", message=f"{type(error).__name__}: {error}")


def _is_of_data(finding: Finding) -> bool:
    """Whether it says that amounts of shifts in memory are not known: they are the program's, whose proof has them."""
    return finding.kind == "shift" and finding.buffer == "acc"


def built(job: Job) -> Program:
    """The program of a tiling. Raises `VtacError` for one that the compiler refuses."""
    module, layer = _read(job.text)
    return build_program(lower_tilings(Schedule(module), [(layer, job.tiling)]).module)


@lru_cache(maxsize=64)
def with_known_amounts(text: str) -> str:
    """A module whose function shifts by numbers that hardware takes, not by arguments: devices run no other."""
    module = parse(f"{text}\n")
    fix_shift_amounts(function_in(module))
    return op_text(module)


def counted(program: Program, timing: Timing) -> Outcome:
    """Exact cycles by the cycle model, and bytes of DRAM that are loaded and stored."""
    stream = decode_stream(program.instructions, program.config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    return Outcome("ok", count_cycles(program.instructions, program.config, timing), nbytes, len(stream))


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[ModuleOp, Layer]:
    module = parse(f"{text}\n")
    return module, layers_of(Schedule(module))[0]
