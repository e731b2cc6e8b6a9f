"""A vta function as Python functions over a stream builder.

Host loops run once, at compile time: each operation becomes a step, a function of all values of the host, and a loop
runs the steps in it. A large nest of loops around one transfer is computed as arrays, and issued at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from math import prod
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.expressions.trips import bounds_of, trips_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import element_type_of
from vtac.dialects.packing.declared import PLACES, layer_name
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.targets.vta.stream.buffers import called_kernel
from vtac.targets.vta.stream.host_arithmetic import ARITHMETIC, Function, arithmetic
from vtac.targets.vta.stream.host_bounds import TOO_LARGE, HostBounds
from vtac.targets.vta.stream.host_calls import HostCalls
from vtac.targets.vta.stream.host_rules import constant_of, held_by_type, loop_range, refuse_kernel, refuse_view
from vtac.targets.vta.stream.host_run import HostRun, Site
from vtac.targets.vta.stream.host_values import HostValues, Step
from vtac.targets.vta.stream.stream_builder import StreamBuilder

_SILENT: frozenset[type[Operation]] = frozenset({scf.YieldOp, func.ReturnOp, memref.GetGlobalOp, memref.AllocOp})
"""Operations that do nothing here."""
_HOST_ONLY = ARITHMETIC | _SILENT
_AS_ARRAYS = 64
"""Iterations from which on a nest that transfers is issued as arrays."""
_MOST_AS_ARRAYS = 1 << 22
"""Iterations up to which; of a nest that never runs there may be more."""


def issue(function: func.FuncOp, addresses: Mapping[SSAValue, int], stream: StreamBuilder, run: HostRun) -> None:
    """Make the calls of a function of scf, arith, affine and vta ops, and of the kernels that it calls, on a stream.

    `addresses` gives the byte address of every DRAM buffer the function uses; `run` is told of the calls. Raises
    `CompileError` for an op of another kind, before any call, and for loops, indices and addresses that are none.
    """
    _HostFunction(run, {}, stream, list(addresses), function).run(list(addresses.values()))


def _nest_of_a_transfer(loop: scf.ForOp) -> list[tuple[scf.ForOp, range]]:
    """The loops around a load or store and their bounds, which are constants; none where they hold other calls."""
    found: list[tuple[scf.ForOp, range]] = []
    inner: Operation | None = loop
    while type(inner) is scf.ForOp:
        bounds = bounds_of(inner)
        if bounds is None:
            return []
        found.append((inner, bounds))
        calls = (op for op in inner.body.block.ops if type(op) not in _HOST_ONLY)
        inner = next(calls, None)
        if next(calls, None) is not None:
            return []
    return found if type(inner) is Load2DOp or type(inner) is Store2DOp else []


class _HostFunction:
    """A function as steps, which run for given addresses of its buffers in bytes."""

    def __init__(
        self,
        run: HostRun,
        kernels: dict[str, _HostFunction],
        stream: StreamBuilder,
        buffers: Sequence[SSAValue],
        function: func.FuncOp,
    ) -> None:
        self._run = run
        self._kernels = kernels
        self._stream = stream
        self._values = HostValues(buffers)
        self._bounds = HostBounds()
        self._calls = HostCalls(stream, self._values)
        self._shape: tuple[int, ...] | None = None
        """In a nest of which all iterations are computed at once, as arrays, how often each loop runs."""
        self._steps = self._block(function.body.block)

    def run(self, addresses: Sequence[int]) -> None:
        """All steps, with the buffers at these addresses."""
        values = self._values.at_start(addresses)
        for step in self._steps:
            step(values)

    def _block(self, block: Block) -> list[Step]:
        return [step for op in block.ops if (step := self._op(op)) is not None]

    def _op(self, op: Operation) -> Step | None:
        self._bounds.note(op)
        computed = arithmetic(op, self._values.place, of_arrays=self._shape is not None)
        if computed is not None:
            held = held_by_type(op.results[0], computed, fits=self._bounds.of(op.results[0]) < TOO_LARGE)
            return _computation(self._values.define(op.results[0]), held)
        number = constant_of(op) if type(op) is arith.ConstantOp else None
        if number is not None:
            self._values.set_constant(op.results[0], number)
            return None
        if type(op) is scf.ForOp:
            return self._loop(op)
        if type(op) is scf.IfOp:
            return self._choice(op)
        if type(op) is func.CallOp:
            return self._call_of_kernel(op)
        if type(op) is memref.ReinterpretCastOp:
            return self._view(op)
        return None if type(op) in _SILENT else self._call(op)

    def _call(self, op: Operation) -> Step:
        self._run.sites.append(Site(op.name, location_of(op)))
        return self._calls.step(op, len(self._run.sites) - 1, self._shape)

    def _loop(self, op: scf.ForOp) -> Step:
        nest = _nest_of_a_transfer(op)
        trips = prod(trips_of(bounds) for _, bounds in nest) if nest else 0
        if _AS_ARRAYS <= trips <= _MOST_AS_ARRAYS and self._fits(nest):
            return self._nest(nest)
        first, end, by = map(self._values.place, (op.lb, op.ub, op.step))
        index = self._values.define(op.body.block.args[0])
        self._bounds.note_index(op.body.block.args[0], *map(self._bounds.of, (op.lb, op.ub)))
        steps = self._block(op.body.block)

        def run(values: list[int]) -> None:
            numbers = loop_range(op, values[first], values[end], values[by])
            if not steps:
                return
            self._run.count(trips_of(numbers), op)
            for number in numbers:
                values[index] = number
                for step in steps:
                    step(values)

        return run

    def _fits(self, nest: Sequence[tuple[scf.ForOp, range]]) -> bool:
        """Whether all that a nest computes fits into numpy's integers."""
        for loop, bounds in nest:
            self._bounds.note_index(loop.body.block.args[0], bounds.start, bounds.stop)
        return self._bounds.fit([op for loop, _ in nest for op in loop.body.block.ops if type(op) is not scf.ForOp])

    def _nest(self, nest: Sequence[tuple[scf.ForOp, range]]) -> Step:
        """A nest around one transfer, all iterations at once: indices are arrays, of one dimension for each loop."""
        self._shape = tuple(len(bounds) for _, bounds in nest)
        indices: list[tuple[int, NDArray[np.int64]]] = []
        steps: list[Step] = []
        for inside, (loop, bounds) in zip(reversed(range(len(nest))), nest, strict=True):
            axis = np.arange(bounds.start, bounds.stop, bounds.step).reshape(-1, *repeat(1, inside))
            indices.append((self._values.define(loop.body.block.args[0]), axis))
            found = [self._op(op) for op in loop.body.block.ops if type(op) is not scf.ForOp]
            steps += [step for step in found if step is not None]
        self._shape = None

        def run(values: list[int]) -> None:
            for place, axis in indices:
                values[place] = cast(int, axis)
            for step in steps:
                step(values)

        return run

    def _choice(self, op: scf.IfOp) -> Step:
        condition, chosen = self._values.place(op.cond), self._block(op.true_region.block)
        others = self._block(op.false_region.block) if op.false_region.blocks else []

        def run(values: list[int]) -> None:
            for step in chosen if values[condition] else others:
                step(values)

        return run

    def _view(self, op: memref.ReinterpretCastOp) -> Step:
        refuse_view(op)
        (offset,) = op.static_offsets.get_values()
        moved = offset * cast(IntegerType, element_type_of(op.source)).width.data // 8
        whole = self._values.address(op.source)
        return _computation(self._values.new_address(op.result), lambda values: values[whole] + moved)

    def _call_of_kernel(self, op: func.CallOp) -> Step:
        """Kernels are functions of the addresses of their buffers, made when first called."""
        run, stream, name, number = self._run, self._stream, op.callee.string_value(), len(self._run.calls)
        if name not in self._kernels:
            callee = called_kernel(op)
            if callee is None:
                raise CompileError(f"call of '{name}', which is no function with a body", location_of(op))
            refuse_kernel(callee)
            self._kernels[name] = _HostFunction(run, self._kernels, stream, callee.body.block.args, callee)
        run.calls.append(run.labels.take(layer_name(op)))
        run.places.append(PLACES.get(op) or {})
        kernel, operands = self._kernels[name], list(map(self._values.address, op.arguments))

        def call(values: list[int]) -> None:
            stream.enter(number)
            kernel.run([values[place] for place in operands])

        return call


def _computation(place: int, function: Function) -> Step:
    def step(values: list[int]) -> None:
        values[place] = function(values)

    return step
