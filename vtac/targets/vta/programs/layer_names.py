"""The layers of the user's program that kernels hold, found by where their instructions come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.hints import isa

from vtac.analysis.ir.locations import location_of
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.dialects.schedule.declared import NAME
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import Origin


def layers_by_place(module: ModuleOp) -> dict[str, str]:
    """The layer that each operation of a plain program is of, by its place in the source, in program order.

    A layer is a named value with what only leads to it: sums and floats that nothing but the elementwise operation
    behind them reads. What has no name or no place is left out.
    """
    layers: dict[Operation, str] = {}
    for function in (op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks):
        for op in reversed(list(function.body.block.ops)):
            if _computes(op):
                after = _only_leads_to(op)
                layers[op] = layers.get(after, "") if after is not None else _name(op)
    places = {location_of(op): name for op, name in reversed(layers.items())}
    return {place: name for place, name in places.items() if place and name}


def name_layers(program: Program, layers: Mapping[str, str]) -> None:
    """Write into a program, and into each of its kernels, which layers it holds."""
    program.layers = _in_order(program.origins, layers)
    held: dict[str, list[Origin]] = {}
    for origin in dict.fromkeys(program.origins):
        held.setdefault(origin.kernel, []).append(origin)
    program.kernels = tuple(
        replace(kernel, layers=_in_order(held.get(kernel.name, ()), layers)) for kernel in program.kernels
    )


def _in_order(origins: Iterable[Origin], layers: Mapping[str, str]) -> tuple[str, ...]:
    found = {layers[origin.location] for origin in origins if origin.location in layers}
    return tuple(layer for layer in dict.fromkeys(layers.values()) if layer in found)


def _computes(op: Operation) -> bool:
    is_computation = isinstance(op, LinalgStructuredOperation) and not isinstance(op, FillOp)
    return is_computation and bool(op.results) and isinstance(op.results[0].type, TensorType)


def _name(op: Operation) -> str:
    return NAME.get(op) or op.results[0].name_hint or ""


def _only_leads_to(op: Operation) -> Operation | None:
    """The elementwise operation that alone reads a result of more than a byte."""
    if _is_byte(op.results[0]):
        return None
    readers = list(dict.fromkeys(use.operation for result in op.results for use in result.uses))
    return readers[0] if len(readers) == 1 and _computes(readers[0]) and is_elementwise(readers[0]) else None


def _is_byte(value: SSAValue) -> bool:
    kind = value.type
    return isa(kind, TensorType[Attribute]) and _bits(kind.element_type) <= 8


def _bits(element: Attribute) -> int:
    return element.bitwidth if isinstance(element, FixedBitwidthType) else 64
