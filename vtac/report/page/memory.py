"""The section of memory: what lies in the on-chip memories over the run, and when each buffer of DRAM is in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from vtac.report.page.occupancy import MEMORIES, BufferMap, Occupancy, Placed, occupancy_of
from vtac.report.page.packed import packed
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.report.runs import StreamRun, total_cycles
from vtac.targets.vta.isa.instructions import Load, Memory, Store
from vtac.targets.vta.machine.stream import dram_element_bytes
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.stream.layout import Buffer
from vtac.text.short import short_name

WIDTH, HEIGHT, _LEFT = 1100, 300, 66


@dataclass
class Use:
    """A buffer of DRAM, the cycles of its first and last access, and the layers that access it."""

    stream: str
    buffer: Buffer
    first: int = -1
    last: int = -1
    layers: list[str] = field(default_factory=list[str])

    def note(self, begin: int, end: int, layer: str) -> None:
        self.first = begin if self.first < 0 else min(self.first, begin)
        self.last = max(self.last, end)
        if layer not in self.layers:
            self.layers.append(layer)


def memory_section(program: VtaProgram, runs: Sequence[StreamRun]) -> Section:
    """Memory over the cycles of all runs."""
    placed = _placed(program, runs)
    cycles = total_cycles(runs)
    held = occupancy_of(placed, cycles)
    uses = dram_uses(placed)
    html = render(
        "memory.html",
        data=packed("memory-data", _data(held)),
        memories=MEMORIES,
        uses=[(use, _titles(use.layers)) for use in uses],
        several=len(program.devices) > 1,
        chart=Markup(_chart(uses, cycles)),
    )
    return Section("memory", "Memory", html)


def dram_uses(placed: Sequence[Placed]) -> list[Use]:
    """The buffers of all streams, with when they are accessed; those that never are come too."""
    found: dict[tuple[str, str], Use] = {}
    for one in placed:
        program = one.program
        buffers = BufferMap(program)
        titles = {kernel.name: kernel.title for kernel in program.kernels}
        for buffer in program.buffers:
            found.setdefault((program.name, buffer.name), Use(program.name, buffer))
        for unit in one.run.report.units.values():
            for index, begin, end in unit.spans:
                instruction = one.run.report.decoded[index]
                if not isinstance(instruction, Load | Store) or not instruction.x_size:
                    continue
                layer = program.origins[index].kernel if index < len(program.origins) else ""
                memory = instruction.memory if isinstance(instruction, Load) else Memory.OUT
                address = instruction.dram_base * dram_element_bytes(memory, program.config)
                buffer = buffers.at(address, layer)
                if buffer is not None:
                    title = titles.get(layer, layer) or program.name
                    found[program.name, buffer.name].note(*one.run.placed(begin, end), title)
    return list(found.values())


def _placed(program: VtaProgram, runs: Sequence[StreamRun]) -> list[Placed]:
    """The runs with their streams."""
    if isinstance(program, HostProgram):
        streams: list[Program] = [program.devices[call.device] for call in program.calls]
    else:
        streams = [program.stream]
    return [Placed(run, stream) for run, stream in zip(runs, streams, strict=True)]


def _data(held: Occupancy) -> dict[str, object]:
    layers = list(dict.fromkeys(layer for _, layer in held.labels))
    return {
        "cycles": held.cycles,
        "labels": [[short_name(buffer), short_name(layer), layers.index(layer)] for buffer, layer in held.labels],
        "memories": [
            {
                "name": memory,
                "capacity": held.config.capacity(memory),
                "rows": held.rows(memory),
                "runs": _run_lengths(held.grids[memory]),
            }
            for memory in MEMORIES
        ],
    }


def _run_lengths(grid: NDArray[np.int32]) -> list[int]:
    """Rows one after the other as pairs of a label's number and how often it follows itself."""
    flat = grid.reshape(-1)
    begins = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(np.append(begins, flat.size))
    return [int(number) for pair in zip(flat[begins], lengths, strict=True) for number in pair]


def _titles(layers: Sequence[str]) -> str:
    shown = ", ".join(short_name(layer) for layer in layers[:3])
    return f"{shown} and {len(layers) - 3} more" if len(layers) > 3 else shown


def _chart(uses: Sequence[Use], cycles: int) -> str:
    """The buffers of DRAM as boxes: cycles from the first access to the last, addresses from first to last byte."""
    drawn = [use for use in uses if use.first >= 0]
    if not drawn:
        return ""
    top = max(use.buffer.address + use.buffer.nbytes for use in drawn)
    boxes = [
        {
            "x": _LEFT + use.first / cycles * (WIDTH - _LEFT),
            "width": (use.last - use.first) / cycles * (WIDTH - _LEFT),
            "y": use.buffer.address / top * HEIGHT,
            "height": use.buffer.nbytes / top * HEIGHT,
            "role": use.buffer.role,
            "hint": f"{short_name(use.buffer.name)} ({use.buffer.role}): {use.buffer.nbytes:,} bytes at "
            f"0x{use.buffer.address:x}, cycles {use.first:,} to {use.last:,}, {_titles(use.layers)}",
        }
        for use in drawn
    ]
    return render("dram.html", boxes=boxes, width=WIDTH, height=HEIGHT, left=_LEFT, top=top, cycles=cycles)
