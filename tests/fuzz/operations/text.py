"""Linalg text that several operations share."""

from __future__ import annotations

from collections.abc import Sequence

from fuzz.networks import Value


def maps(*results: str, dims: str) -> str:
    """`indexing_maps = [...]`, one map per operand."""
    return f"indexing_maps = [{', '.join(f'affine_map<({dims}) -> ({result})>' for result in results)}]"


def iterators(parallel: int, reductions: int = 0) -> str:
    """`iterator_types = [...]`, the parallel ones first."""
    kinds = ['"parallel"'] * parallel + ['"reduction"'] * reductions
    return f"iterator_types = [{', '.join(kinds)}]"


def letters(rank: int) -> str:
    """`d0, d1, ...`"""
    return ", ".join(f"d{i}" for i in range(rank))


def generic(result: Value, operands: Sequence[tuple[Value, str]], body: Sequence[str], out: str = "") -> list[str]:
    """An elementwise generic over the result's dimensions whose body defines `%y` of `%a0`, `%a1`, ..."""
    rank = len(result.shape)
    access = maps(*(m for _, m in operands), out or letters(rank), dims=letters(rank))
    names, kinds = ", ".join(f"%{value.name}" for value, _ in operands), ", ".join(v.kind for v, _ in operands)
    arguments = ", ".join(f"%a{i}: {value.element}" for i, (value, _) in enumerate(operands))
    return [
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name} = linalg.generic {{{access}, {iterators(rank)}}} ins({names} : {kinds}) "
        f"outs(%{result.name}_e : {result.kind}) {{",
        f"  ^bb0({arguments}, %o: {result.element}):",
        *(f"    {line}" for line in body),
        f"    linalg.yield %y : {result.element}",
        f"  }} -> {result.kind}",
    ]


def reduction(
    result: Value, operands: Sequence[Value], access: str, kinds: str, body: Sequence[str], start: str
) -> list[str]:
    """A generic whose body defines `%y` of `%a0`, `%a1`, ... and `%acc`, from the tensor `%start` on."""
    names, types = ", ".join(f"%{value.name}" for value in operands), ", ".join(value.kind for value in operands)
    arguments = ", ".join(f"%a{i}: {value.element}" for i, value in enumerate(operands))
    return [
        f"  %{result.name} = linalg.generic {{{access}, {kinds}}} ins({names} : {types}) "
        f"outs(%{start} : {result.kind}) {{",
        f"  ^bb0({arguments}, %acc: {result.element}):",
        *(f"    {line}" for line in body),
        f"    linalg.yield %y : {result.element}",
        f"  }} -> {result.kind}",
    ]


def named(
    result: Value, op: str, operands: Sequence[Value], start: str, *, attributes: str = "", scalars: Sequence[str] = ()
) -> list[str]:
    """A named operation on tensors and i32 scalars, from the tensor `%start` on."""
    names = ", ".join([*(f"%{value.name}" for value in operands), *(f"%{name}" for name in scalars)])
    kinds = ", ".join([*(value.kind for value in operands), *["i32"] * len(scalars)])
    return [
        f"  %{result.name} = {op} {attributes}{' ' if attributes else ''}ins({names} : {kinds}) "
        f"outs(%{start} : {result.kind}) -> {result.kind}"
    ]


def started(result: Value, number: int) -> list[str]:
    """A tensor of one number, `%NAME_i`."""
    return [
        f"  %{result.name}_c = arith.constant {number} : {result.element}",
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name}_i = linalg.fill ins(%{result.name}_c : {result.element}) outs(%{result.name}_e : "
        f"{result.kind}) -> {result.kind}",
    ]


def scalar(name: str, number: int, element: str = "i32") -> str:
    """A scalar constant of the function's body."""
    return f"  %{name} = arith.constant {number} : {element}"


def product_body(zeros: tuple[int, int], acc: str = "i32") -> list[str]:
    """`%y = %acc + (%a0 - z0) * (%a1 - z1)`, widened first, as frontends print it."""
    lines: list[str] = []
    names: list[str] = []
    for number, zero in enumerate(zeros):
        lines.append(f"%e{number} = arith.extsi %a{number} : i8 to {acc}")
        names.append(f"%e{number}")
        if zero:
            lines += [
                f"%z{number} = arith.constant {zero} : {acc}",
                f"%d{number} = arith.subi %e{number}, %z{number} : {acc}",
            ]
            names[-1] = f"%d{number}"
    return [*lines, f"%m = arith.muli {names[0]}, {names[1]} : {acc}", f"%y = arith.addi %acc, %m : {acc}"]
