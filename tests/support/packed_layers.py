"""Packed layers as text: contractions, int8 operands by products with one weight tile, ALU operations, stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from lowering import prepare
from numpy.typing import NDArray
from plain_programs import assert_same, random_inputs

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.schedules import default_schedule
from vtac.targets.vta.schedules.lowering import WrittenScript
from vtac.targets.vta.schedules.simple import simple_lowering
from vtac.workloads.linalg_text import MULTIPLY_ACCUMULATE, affine_map, iterators, tensor


@dataclass
class PackedLayer:
    """Builds one function on packed tensors of `outer` x BATCH x BLOCK."""

    outer: tuple[int, ...]
    config: VTAConfig = field(default_factory=VTAConfig)
    arguments: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lines: list[str] = field(default_factory=list[str])
    results: list[str] = field(default_factory=list[str])
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.outer, self.config.batch, self.config.block_out)

    @property
    def wide(self) -> str:
        return tensor(self.shape, "i32")

    def argument(self, name: str, shape: Sequence[int], element: str) -> str:
        """An argument of that outer shape, in tiles."""
        self.shapes[name] = tuple(shape)
        tile = (self.config.batch, self.config.block_out)
        self.arguments.append((name, tensor((*shape, *tile), element)))
        return name

    def _zeros(self, name: str, kind: str) -> str:
        self.lines += [
            f"  %{name}_zero = arith.constant 0 : i32",
            f"  %{name}_empty = tensor.empty() : {kind}",
            f"  %{name}_init = linalg.fill ins(%{name}_zero : i32) outs(%{name}_empty : {kind}) -> {kind}",
        ]
        return f"%{name}_init"

    def _generic(
        self, name: str, maps: Sequence[str], kinds: str, inputs: str, outs: tuple[str, str], body: str
    ) -> str:
        listed = ", ".join(maps)
        self.lines += [
            f"  %{name} = linalg.generic {{indexing_maps = [{listed}], {kinds}}}",
            f"    ins({inputs}) outs({outs[0]} : {outs[1]}) {{{body}",
            f"  }} -> {outs[1]}",
        ]
        return name

    def product(self, channels: int, kernel: int = 1, stride: int = 1, pad: int = 0) -> str:
        """A convolution of an input of its own into this layer's shape (images, features, rows, columns)."""
        images, features, rows, columns = self.outer
        config = self.config
        sizes = [(n - 1) * stride + kernel - 2 * pad for n in (rows, columns)]
        data = (images, channels, *sizes, config.batch, config.block_in)
        weights = tensor((features, channels, kernel, kernel, config.block_out, config.block_in), "i8")
        self.arguments += [("data", tensor(data, "i8")), ("kernel", weights)]
        padded = (*data[:2], sizes[0] + 2 * pad, sizes[1] + 2 * pad, *data[4:])
        source = "data"
        if pad:
            self.lines += _pad_lines("data_buf", "data", data, padded, (0, 0, pad, pad))
            source = "data_buf"
        dims = "n, o, y, x, b, l, c, r, s, k"
        maps = [f"n, c, y * {stride} + r, x * {stride} + s, b, k", "o, c, r, s, l, k", "n, o, y, x, b, l"]
        init = self._zeros("res_conv", self.wide)
        inputs = f"%{source}, %kernel : {tensor(padded, 'i8')}, {weights}"
        listed = [affine_map(dims, one) for one in maps]
        return self._generic("res_conv", listed, iterators(6, 4), inputs, (init, self.wide), MULTIPLY_ACCUMULATE)

    def narrow(self, name: str, value: str, start: str | None = None, pad: int = 0, factor: int = 1) -> str:
        """An int8 argument through one weight tile, added to `start` or alone; its last two dimensions padded."""
        outer = self.shapes[value]
        config = self.config
        tile = (config.batch, config.block_in)
        shape = (*outer, *tile)
        source = value
        if pad:
            padded = (*outer[:-2], outer[-2] + 2 * pad, outer[-1] + 2 * pad)
            low = (*(0 for _ in outer[:-2]), pad, pad)
            self.lines += _pad_lines(f"{name}_pad", value, shape, (*padded, *tile), low)
            source, outer, shape = f"{name}_pad", padded, (*padded, *tile)
        loops = [f"d{d}" for d in range(len(outer))]
        dims = ", ".join([*loops, "b", "l", "k"])
        around = "".join(f"{loop}, " for loop in loops)
        kind = tensor((*outer, config.batch, config.block_out), "i32")
        eye = tensor((config.block_out, config.block_in), "i8")
        rows = ", ".join(str([factor * int(i == j) for j in range(config.block_in)]) for i in range(config.block_out))
        self.lines.append(f"  %{name}_eye = arith.constant dense<[{rows}]> : {eye}")
        init = f"%{start}" if start is not None else self._zeros(name, kind)
        maps = [affine_map(dims, one) for one in (f"{around}b, k", "l, k", f"{around}b, l")]
        inputs = f"%{source}, %{name}_eye : {tensor(shape, 'i8')}, {eye}"
        self.shapes[name] = tuple(outer)
        return self._generic(name, maps, iterators(len(outer) + 2, 1), inputs, (init, kind), MULTIPLY_ACCUMULATE)

    def copy(self, name: str, value: str) -> str:
        """An int32 argument as a value of its own."""
        shape = (*self.shapes[value], self.config.batch, self.config.block_out)
        kind = tensor(shape, "i32")
        dims = ", ".join(f"d{d}" for d in range(len(shape)))
        self.lines.append(f"  %{name}_empty = tensor.empty() : {kind}")
        body = "\n  ^bb0(%x: i32, %o: i32):\n    linalg.yield %x : i32"
        self.shapes[name] = self.shapes[value]
        return self._generic(
            name,
            [affine_map(dims, dims)] * 2,
            iterators(len(shape)),
            f"%{value} : {kind}",
            (f"%{name}_empty", kind),
            body,
        )

    def alu(
        self, name: str, op: str, sources: Sequence[str], number: int | None = None, maps: Sequence[str] = ()
    ) -> str:
        """One operation `op` on two tensors, or on one and a number; `maps` are outer indices over d0, d1, ..."""
        rank = len(self.shape)
        loops = [f"d{d}" for d in range(rank)]
        dims = ", ".join(loops)
        outer = ", ".join(loops[:-2])
        tile = ", ".join(loops[-2:])
        places = [*maps] or [outer] * len(sources)
        listed = [affine_map(dims, f"{place}, {tile}" if place else tile) for place in places]
        kinds: list[str] = []
        for source in sources:
            shape = self.shapes.get(source, self.outer)
            kinds.append(tensor((*shape, self.config.batch, self.config.block_out), "i32"))
        inputs = f"{', '.join(f'%{source}' for source in sources)} : {', '.join(kinds)}"
        names = [f"%in{i}" for i in range(len(sources))]
        body = f"\n  ^bb0({', '.join(f'{one}: i32' for one in names)}, %o: i32):"
        if number is not None:
            body += f"\n    %c = arith.constant {number} : i32"
            names.append("%c")
        body += f"\n    %y = arith.{op} {names[0]}, {names[1]} : i32\n    linalg.yield %y : i32"
        self.lines.append(f"  %{name}_empty = tensor.empty() : {self.wide}")
        listed.append(affine_map(dims, dims))
        return self._generic(name, listed, iterators(rank), inputs, (f"%{name}_empty", self.wide), body)

    def store(self, source: str, name: str = "res") -> str:
        """The low 8 bits, as a result."""
        rank = len(self.shape)
        kind = tensor(self.shape, "i8")
        dims = ", ".join(f"d{d}" for d in range(rank))
        self.lines.append(f"  %{name}_empty = tensor.empty() : {kind}")
        body = "\n  ^bb0(%x: i32, %o: i8):\n    %y = arith.trunci %x : i32 to i8\n    linalg.yield %y : i8"
        self.results.append(name)
        return self._generic(
            name,
            [affine_map(dims, dims)] * 2,
            iterators(rank),
            f"%{source} : {self.wide}",
            (f"%{name}_empty", kind),
            body,
        )

    def planes(self, source: str) -> None:
        """The four bytes of each number, as results."""
        for plane in range(4):
            if plane:
                source = self.alu(f"plane_{plane}", "shrsi", [source], 8)
            self.store(source, f"res_{plane}" if plane else "res")

    def text(self) -> str:
        kind = tensor(self.shape, "i8")
        kinds = ", ".join([kind] * len(self.results))
        arguments = ", ".join(f"%{name}: {kind}" for name, kind in self.arguments)
        returned = ", ".join(f"%{name}" for name in self.results)
        head = f"func.func @layer({arguments}) -> ({kinds}) {{"
        return "\n".join([head, *self.lines, f"  func.return {returned} : {kinds}", "}", ""])


def _pad_lines(name: str, value: str, shape: Sequence[int], padded: Sequence[int], low: Sequence[int]) -> list[str]:
    start = [*low, *(0 for _ in shape[len(low) :])]
    before = ", ".join(map(str, start))
    after = ", ".join(str(p - n - s) for p, n, s in zip(padded, shape, start, strict=True))
    indices = ", ".join(f"%p{d}: index" for d in range(len(shape)))
    return [
        f"  %{name}_value = arith.constant 0 : i8",
        f"  %{name} = tensor.pad %{value} low[{before}] high[{after}] {{",
        f"  ^bb0({indices}):",
        f"    tensor.yield %{name}_value : i8",
        f"  }} : {tensor(shape, 'i8')} to {tensor(padded, 'i8')}",
    ]


def assert_scheduled(layer: PackedLayer) -> vtac.Program:
    """The default schedule exists, and its program is proven clean and equal to numpy."""
    module = prepare(vtac.parse(layer.text()), layer.config, None)
    program = vtac.compile(module, schedule=default_schedule(module))
    assert vtac.check(program) == []
    inputs = random_inputs(program)
    found, expected = program(*inputs), evaluate(module, *inputs)
    for mine, theirs in zip(_listed(found), _listed(expected), strict=True):
        assert_same(mine, theirs)
    return program.stream


def assert_beats_simple(layer: PackedLayer) -> None:
    """No more cycles than tile after tile, and no more traffic but for micro-ops."""
    module = prepare(vtac.parse(layer.text()), layer.config, None)
    mine = vtac.compile(module, schedule=default_schedule(module)).stream
    simple = vtac.compile(module, schedule=WrittenScript(simple_lowering(module, layer.config).script)).stream
    assert _cycles(mine) <= _cycles(simple)
    assert _data_bytes(mine) <= _data_bytes(simple)


def _cycles(program: vtac.Program) -> int:
    return vtac.simulate_cycles(program.instructions, program.config).cycles


def _data_bytes(program: vtac.Program) -> int:
    counters = count(decode_stream(program.instructions, program.config))
    return sum(value for name, value in counters.items() if name.endswith("_nbytes") and not name.startswith("uop"))


def _listed(found: NDArray[np.generic] | tuple[NDArray[np.generic], ...]) -> tuple[NDArray[np.generic], ...]:
    return found if isinstance(found, tuple) else (found,)
