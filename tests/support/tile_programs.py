"""Small programs over rows of accumulator tiles: copies in, elementwise steps, a truncating copy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import iterators, tensor

DEFAULT = VTAConfig()


@dataclass(frozen=True)
class Step:
    """One elementwise op: `body` computes %y from %x0, %x1, ... of its sources."""

    name: str
    sources: tuple[str, ...]
    body: str


def immediate(name: str, source: str, op: str, value: int) -> Step:
    """source OP value."""
    return Step(name, (source,), f"%c = arith.constant {value} : i32\n    %y = arith.{op} %x0, %c : i32")


def binary(name: str, left: str, right: str, op: str) -> Step:
    """left OP right."""
    return Step(name, (left, right), f"%y = arith.{op} %x0, %x1 : i32")


@dataclass(frozen=True)
class TileProgram:
    """`inputs` int32 arrays of `tiles` tiles each, the steps, and the result that is stored."""

    inputs: int
    steps: tuple[Step, ...]
    result: str
    tiles: int = 6
    config: VTAConfig = DEFAULT

    @property
    def shape(self) -> tuple[int, int, int]:
        """(tiles, BATCH, BLOCK)."""
        return (self.tiles, self.config.batch, self.config.block_out)

    def text(self) -> str:
        """The program as linalg text."""
        wide = tensor(self.shape, "i32")
        arguments = ", ".join(f"%a{at}: {wide}" for at in range(self.inputs))
        lines = [_generic(f"in{at}", (f"a{at}",), None, self.shape, "i32") for at in range(self.inputs)]
        lines += [_generic(step.name, step.sources, step.body, self.shape, "i32") for step in self.steps]
        lines.append(_generic("out", (self.result,), "%y = arith.trunci %x0 : i32 to i8", self.shape, "i8"))
        result = tensor(self.shape, "i8")
        body = "\n".join(lines)
        return f"""#id = affine_map<(t, b, c) -> (t, b, c)>
func.func @tiles({arguments}) -> {result} {{
{body}
  func.return %out : {result}
}}
"""

    def schedule(self) -> vtac.Schedule:
        """Everything on chip at once."""
        schedule = vtac.Schedule(self.text(), config=self.config)
        for name in [f"in{at}" for at in range(self.inputs)]:
            block = schedule.get_block(name)
            schedule.set_scope(block, "vta.acc")
            schedule.dma_copy(schedule.get_loops(block)[0])
        for step in self.steps:
            block = schedule.get_block(step.name)
            schedule.set_scope(block, "vta.acc")
            schedule.alu(schedule.get_loops(block)[0])
        schedule.dma_copy(schedule.get_loops(schedule.get_block("out"))[0])
        return schedule


def _generic(name: str, sources: Sequence[str], body: str | None, shape: Sequence[int], result: str) -> str:
    wide, kind = tensor(shape, "i32"), tensor(shape, result)
    maps = ", ".join(["#id"] * (len(sources) + 1))
    names = ", ".join(f"%{source}" for source in sources)
    scalars = ", ".join(f"%x{at}: i32" for at in range(len(sources)))
    yielded = "%x0" if body is None else "%y"
    return f"""  %{name}_empty = tensor.empty() : {kind}
  %{name} = linalg.generic {{indexing_maps = [{maps}], {iterators(len(shape))}}}
    ins({names} : {", ".join([wide] * len(sources))}) outs(%{name}_empty : {kind}) {{
  ^bb0({scalars}, %o: {result}):
    {body or ""}
    linalg.yield {yielded} : {result}
  }} -> {kind}"""
