"""Plain programs whose i8 operands reach the accumulators by GEMM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plain_programs import PlainConv

from vtac.workloads.linalg_text import affine_map, iterators, tensor

Shape = Literal["same", "channel", "row", "image"]
_MAPS: dict[Shape, str] = {"same": "n, c, h, w", "channel": "c", "row": "n, h", "image": "h, w"}


@dataclass(frozen=True)
class Term:
    """An operand: its dimensions, its type, a left shift, and how it joins the sum before it."""

    dims: Shape = "same"
    element: str = "i8"
    shift: int = 0
    joins: str = "addi"


def operand_shape(term: Term, result: tuple[int, int, int, int]) -> tuple[int, ...]:
    """The operand's shape for a result."""
    n, c, h, w = result
    sizes = {"n": n, "c": c, "h": h, "w": w}
    return tuple(sizes[name] for name in _MAPS[term.dims].split(", "))


def joined(terms: list[Term], result: tuple[int, int, int, int], tail: str, conv: PlainConv | None = None) -> str:
    """An elementwise operation that joins operands (and a convolution before them) and narrows the total to i8."""
    wide, out = tensor(result, "i32"), tensor(result, "i8")
    kinds = [tensor(operand_shape(term, result), term.element) for term in terms]
    arguments = [f"%a{i}: {kind}" for i, kind in enumerate(kinds)]
    sources = [(f"%a{i}", kinds[i], term.element, _MAPS[term.dims]) for i, term in enumerate(terms)]
    lines: list[str] = []
    if conv is not None:
        data = tensor((conv.batch, conv.channels, conv.height, conv.width), "i8")
        weights = tensor((conv.features, conv.channels, *conv.kernel), "i8")
        arguments = [f"%data: {data}", f"%w: {weights}", *arguments]
        sources.insert(0, ("%conv", wide, "i32", _MAPS["same"]))
        lines = conv.lines()
    maps = ", ".join(affine_map("n, c, h, w", dims) for *_, dims in [*sources, ("", "", "", _MAPS["same"])])
    body = _body(terms, has_start=conv is not None)
    return "\n".join(
        [
            f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}",
            f"func.func @layer({', '.join(arguments)}) -> {out} {{",
            *lines,
            f"  %out_empty = tensor.empty() : {out}",
            f"  %out = linalg.generic {{indexing_maps = [{maps}], {iterators(4)}}}",
            f"    ins({', '.join(s[0] for s in sources)} : {', '.join(s[1] for s in sources)})",
            f"    outs(%out_empty : {out}) {{",
            f"  ^bb0({', '.join(f'%x{i}: {s[2]}' for i, s in enumerate(sources))}, %o: i8):",
            *body,
            tail.replace("%x,", "%total,"),
            f"    linalg.yield %y : i8\n  }} -> {out}",
            f"  func.return %out : {out}",
            "}",
            "",
        ]
    )


def _body(terms: list[Term], *, has_start: bool) -> list[str]:
    lines: list[str] = []
    total = "%x0" if has_start else None
    for number, term in enumerate(terms):
        value = f"%x{number + has_start}"
        if term.element != "i32":
            lines.append(f"    %w{number} = arith.extsi {value} : {term.element} to i32")
            value = f"%w{number}"
        if term.shift:
            lines.append(f"    %k{number} = arith.constant {term.shift} : i32")
            lines.append(f"    %s{number} = arith.shli {value}, %k{number} : i32")
            value = f"%s{number}"
        if total is not None:
            lines.append(f"    %t{number} = arith.{term.joins} {total}, {value} : i32")
            value = f"%t{number}"
        total = value
    zero = "    %nil = arith.constant 0 : i32"
    return [*lines, zero, f"    %total = arith.addi {total}, %nil : i32"]
