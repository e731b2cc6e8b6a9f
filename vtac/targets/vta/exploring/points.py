"""What a worker does for a sweep: compile a network for a configuration, and count cycles under several timings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import process_time

from vtac.collection import seldom_collected
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.store.records import Outcome
from vtac.targets.vta.choosing import compile_with
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.cycles.simulate import count_busy_cycles
from vtac.targets.vta.exploring.jobs import UNPLACED, PointJob, held_network
from vtac.targets.vta.exploring.shared_kernels import shared_kernels
from vtac.targets.vta.exploring.shared_tilings import SharedTilings
from vtac.targets.vta.machine.counters import COUNTER_NAMES, count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.proof import check
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.stream import stream_of
from vtac.targets.vta.proof.tokens import check_tokens

_TOKENS_BELOW = 0.7
"""Where no unit is busy for such a share of the cycles, they wait for one another."""


@dataclass(frozen=True)
class PointResult:
    """The outcome under each timing, and the tiling of each layer that the program has; CPU seconds of all of it.

    `needs_text`: the process does not have the network, so that the job is to be sent with its text.
    """

    outcomes: tuple[Outcome, ...]
    tilings: Mapping[str, str]
    needs_text: bool = False
    seconds: float = 0.0


def compute_points(jobs: Sequence[PointJob]) -> list[PointResult]:
    """What becomes of each job. A network that a configuration cannot hold is an outcome."""
    with seldom_collected():
        return [_timed(job) for job in jobs]


def _timed(job: PointJob) -> PointResult:
    start = process_time()
    found = _computed(job)
    return replace(found, seconds=process_time() - start)


def _computed(job: PointJob) -> PointResult:
    known = SharedTilings(job.tilings)
    network = held_network(job)
    if network is None:
        return PointResult((), {}, needs_text=True)
    try:
        work = network.prepared(job.config)
        program = compile_with(work, known, shared_kernels(known, job.records), split=network.fronts.split)
        if isinstance(program, HostProgram) and not program.devices:
            raise VtacError("nothing of it runs on the VTA; vtac run FILE says why")
        unsafe = [] if isinstance(program, HostProgram) else check(program.stream)
        if unsafe:
            raise VtacError(f"the program is not proven safe: {unsafe[0].message}")
        return PointResult(_under(program, job.timings), known.used)
    except VtacError as error:
        failed = Outcome("refused", message=_with_its_places(error))
    except Exception as error:
        failed = Outcome("failed", message=f"{type(error).__name__}: {error}")
    return PointResult((failed,) * len(job.timings), {})


def _with_its_places(error: VtacError) -> str:
    """The message without places that are none of the network's source."""
    message = error.message
    for place in error.locations:
        if place.startswith(f"{UNPLACED}:"):
            message = message.replace(f"{place}: ", "", 1)
    return message


def _under(program: VtaProgram, timings: Sequence[Timing]) -> tuple[Outcome, ...]:
    """The outcome under each timing: figures, or that the program would stand still with such short queues."""
    proven = program.config.queue_depth
    depths = {timing.queue_depth for timing in timings if timing.queue_depth < proven}
    streams = [(device.instructions, device.config) for device in program.devices.values()]
    stops = {depth: queue_stop(streams, depth) for depth in depths}
    return tuple(
        Outcome("refused", message=f"the program is not proven safe: {stops[timing.queue_depth]}")
        if stops.get(timing.queue_depth)
        else _figures(program, timing)
        for timing in timings
    )


def queue_stop(streams: Sequence[tuple[bytes, VTAConfig]], depth: int) -> str:
    """What waits for what for ever where the queues are only so deep; nothing where all of them run to their end."""
    for instructions, config in streams:
        report = Report()
        check_tokens(stream_of(instructions, replace(config, queue_depth=depth)), report)
        if found := report.findings():
            return found[0].message
    return ""


def _figures(program: VtaProgram, timing: Timing) -> Outcome:
    """Cycles, bytes, counters and what limits, over all calls of streams."""
    totals, cycles = dict.fromkeys(COUNTER_NAMES, 0), 0
    busy: dict[str, int] = {"load": 0, "compute": 0, "store": 0}
    names = [call.device for call in program.calls] if isinstance(program, HostProgram) else list(program.devices)
    instructions = 0
    for name in names:
        device = program.devices[name]
        queues = {"queue_depth": timing.queue_depth, "outstanding_bursts": timing.outstanding_bursts}
        taken, working = count_busy_cycles(device.instructions, replace(device.config, **queues), timing)
        stream = decode_stream(device.instructions, device.config)
        instructions += len(stream)
        cycles += taken
        for counter, value in count(stream).items():
            totals[counter] += value
        for unit, value in working.items():
            busy[unit] += value
    nbytes = sum(value for name, value in totals.items() if name.endswith("_nbytes"))
    more = {
        "counts": totals,
        "busy": busy,
        "limit": _limit(cycles, totals, busy),
        "macs": program.summary["macs_on_vta"],
    }
    return Outcome("ok", cycles, nbytes, instructions, more=json.dumps(more, sort_keys=True))


def _limit(cycles: int, counts: Mapping[str, int], busy: Mapping[str, int]) -> str:
    """What limits: the unit that is busy longest, or tokens where each waits; the compute unit's by its larger part."""
    unit, most = max(busy.items(), key=lambda item: item[1])
    if most < _TOKENS_BELOW * cycles:
        return "tokens"
    if unit == "compute":
        return "compute" if 2 * counts["gemm_counter"] >= most else "ALU"
    return f"{unit}s"
