"""From what happened in the machine to the report: spans cut at the end of the run, waits by cause."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.load_time import uncontended_cycles
from vtac.targets.vta.cycles.machine import Machine
from vtac.targets.vta.cycles.plan import TRANSFER, UNIT_NAMES, Plan
from vtac.targets.vta.cycles.report import BusSpan, CycleReport, Roof, Span, TokenFlow, UnitReport, Wait
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.cycles.units import Unit
from vtac.targets.vta.isa import POP_NEXT, POP_PREV

Column = NDArray[np.int64]


def make_report(machine: Machine, cycles: int, instructions: bytes, config: VTAConfig) -> CycleReport:
    """The report of a machine that has run to its end in `cycles` cycles."""
    plan, timing = machine.plan, machine.timing
    return CycleReport(
        cycles=cycles,
        units={unit.name: _unit_report(unit, plan, timing, cycles) for unit in machine.units},
        bus=_bus_spans(machine, cycles),
        fetch=tuple(
            Span(number * timing.fetch_instructions, begin, min(end, cycles))
            for number, (begin, end) in enumerate(machine.fetch.spans)
            if begin < cycles
        ),
        flows=_flows(machine, cycles),
        roofs=_roofs(plan, timing, cycles),
        instructions=instructions,
        config=config,
        timing=timing,
    )


def _bus_spans(machine: Machine, cycles: int) -> tuple[BusSpan, ...]:
    transfers = [*machine.bus.done, *machine.bus.waiting]
    spans = (
        BusSpan(transfer.client, transfer.index, begin, min(end, cycles))
        for transfer in transfers
        for begin, end in transfer.spans
        if begin < cycles
    )
    return tuple(sorted(spans, key=lambda span: span.begin))


def _flows(machine: Machine, cycles: int) -> tuple[TokenFlow, ...]:
    flows = (
        TokenFlow(queue.name, *flow)
        for queue in machine.queues
        for flow in zip(queue.producers, queue.available, queue.consumers, queue.taken, strict=False)
    )
    return tuple(sorted((flow for flow in flows if flow.taken < cycles), key=lambda flow: (flow.posted, flow)))


def _roofs(plan: Plan, timing: Timing, cycles: int) -> dict[str, Roof]:
    return {
        "compute": Roof(plan.tile_operations, "tile operations", 1, cycles),
        "load": Roof(sum(shape.nbytes for shape in plan.loads.values()), "bytes", timing.bus_bytes, cycles),
        "store": Roof(plan.stored_bytes, "bytes", timing.bus_bytes, cycles),
    }


def busy_cycles(machine: Machine, cycles: int) -> dict[str, int]:
    """Of a machine that has run to its end in `cycles` cycles, in how many of them each unit is busy."""
    plan, timing = machine.plan, machine.timing
    return {unit.name: _busy_and_contended(unit, plan, timing, *_times(unit, cycles))[0] for unit in machine.units}


def _times(unit: Unit, cycles: int) -> tuple[Column, Column]:
    """When the instructions of a unit begin and end; what is under way at the end of the run ends with it."""
    begins = np.minimum(np.array(unit.starts, np.int64), cycles)
    return begins, np.minimum(np.array([*unit.ends, cycles][: len(begins)], np.int64), cycles)


def _unit_report(unit: Unit, plan: Plan, timing: Timing, cycles: int) -> UnitReport:
    begins, ends = _times(unit, cycles)
    busy, contended = _busy_and_contended(unit, plan, timing, begins, ends)
    waits = _waits(unit, plan, ends, cycles)
    queues = [queue.name for queue in (unit.prev_in, unit.next_in) if queue]
    waiting = dict.fromkeys(("fetch", *queues, "bus", "done"), 0)
    for wait in waits:
        waiting[wait.cause] += wait.end - wait.begin
    waiting["bus"] = contended
    spans = (Span(*span) for span in zip(unit.instructions, begins.tolist(), ends.tolist(), strict=False))
    return UnitReport(
        name=unit.name,
        busy=busy,
        waiting=waiting,
        spans=tuple(span for span in spans if span.begin < cycles),
        waits=waits,
    )


def _busy_and_contended(unit: Unit, plan: Plan, timing: Timing, begins: Column, ends: Column) -> tuple[int, int]:
    """Cycles of a unit's instructions: those that they need, and those that its LOADs took beyond what they need with
    the memory to themselves."""
    taken = ends - begins
    loads = [place for place in range(len(taken)) if plan.costs[unit.instructions[place]] == TRANSFER]
    needed = [uncontended_cycles(plan.loads[unit.instructions[place]], timing) for place in loads]
    contended = int(np.sum(np.maximum(0, taken[loads] - np.array(needed, np.int64)))) if loads else 0
    return int(np.sum(taken)) - contended, contended


def _waits(unit: Unit, plan: Plan, ends: Column, cycles: int) -> tuple[Wait, ...]:
    """What the unit waits for between its instructions; what follows its last one is `done`."""
    free = np.concatenate((np.zeros(1, np.int64), ends))
    visible, arrivals = list(unit.visible[: len(ends)]), list(unit.arrivals[: len(ends)])
    pending = plan.units.count(UNIT_NAMES.index(unit.name)) > len(ends)
    if pending:
        known = len(ends) < len(unit.visible)
        visible.append(unit.visible[len(ends)] if known else cycles)
        arrivals.append(_pending_arrivals(unit, plan, cycles) if known else (0, 0))
    prev_tokens, next_tokens = np.array(arrivals, np.int64).reshape(-1, 2).T
    edges = [free[: len(visible)]]
    for times in (np.array(visible, np.int64), prev_tokens, next_tokens):
        edges.append(np.maximum(edges[-1], np.minimum(times, cycles)))
    causes = ("fetch", unit.prev_in.name if unit.prev_in else "", unit.next_in.name if unit.next_in else "")
    waits = [
        Wait(cause, begin, end)
        for cause, begins, stops in zip(causes, edges, edges[1:], strict=False)
        for begin, end in zip(begins.tolist(), stops.tolist(), strict=True)
        if end > begin
    ]
    if not pending and free[-1] < cycles:
        waits.append(Wait("done", int(free[-1]), cycles))
    return tuple(sorted(waits, key=lambda wait: wait.begin))


def _pending_arrivals(unit: Unit, plan: Plan, cycles: int) -> tuple[int, int]:
    """When the tokens were there that the head of the unit's queue waits for at the end of the run."""
    bits = plan.tokens[unit.instructions[len(unit.starts)]]
    heads = [
        queue.head if queue and bits & bit else 0 for queue, bit in ((unit.prev_in, POP_PREV), (unit.next_in, POP_NEXT))
    ]
    prev_token, next_token = (cycles if head is None else head for head in heads)
    return prev_token, next_token
