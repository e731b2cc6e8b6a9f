"""Pieces of linalg text that the workloads share."""

from __future__ import annotations

from collections.abc import Sequence


def tensor(shape: Sequence[int], element: str) -> str:
    """`tensor<1x16xi8>`."""
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def iterators(parallel: int, reduction: int = 0) -> str:
    """The iterator_types attribute: parallel loops, then reductions."""
    kinds = ['"parallel"'] * parallel + ['"reduction"'] * reduction
    return f"iterator_types = [{', '.join(kinds)}]"


def named(name: str) -> str:
    """What a block is called whatever becomes of SSA names, as the attributes of a linalg operation."""
    return f'attrs = {{schedule.name = "{name}"}}'


def elementwise(name: str, source: str, shape: Sequence[int], body: str, result: str = "i32") -> str:
    """One linalg.generic over i32 elements `%x`; `body` defines `%y` of the result type."""
    empty = f"%{name}_empty"
    return f"""
  {empty} = tensor.empty() : {tensor(shape, result)}
  %{name} = linalg.generic {{indexing_maps = [#tile, #tile], {iterators(len(shape))}}}
    ins({source} : {tensor(shape, "i32")}) outs({empty} : {tensor(shape, result)}) {named(name)} {{
  ^bb0(%x: i32, %o: {result}):
    {body}
    linalg.yield %y : {result}
  }} -> {tensor(shape, result)}"""


def requantise(source: str, shape: Sequence[int], shift: int) -> str:
    """Shift right, clip to [0, 127], truncate to i8: blocks res_shr, res_max, res_min and res."""
    return "".join(
        [
            elementwise(
                "res_shr", source, shape, f"%c = arith.constant {shift} : i32\n    %y = arith.shrsi %x, %c : i32"
            ),
            elementwise("res_max", "%res_shr", shape, "%c = arith.constant 0 : i32\n    %y = arith.maxsi %x, %c : i32"),
            elementwise(
                "res_min", "%res_max", shape, "%c = arith.constant 127 : i32\n    %y = arith.minsi %x, %c : i32"
            ),
            elementwise("res", "%res_min", shape, "%y = arith.trunci %x : i32 to i8", "i8"),
        ]
    )


MULTIPLY_ACCUMULATE = """
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %x32, %w32 : i32
    %sum = arith.addi %acc, %product : i32
    linalg.yield %sum : i32"""


def affine_map(dims: str, results: str) -> str:
    """`affine_map<(dims) -> (results)>`."""
    return f"affine_map<({dims}) -> ({results})>"


def require_multiple(what: str, value: int, unit: int, unit_name: str) -> None:
    """Refuse a size that does not divide into tiles."""
    from vtac.errors import CompileError

    if value < 1 or value % unit:
        raise CompileError(f"{what} is {value}; a positive multiple of {unit_name} = {unit} is required")
