"""Plain programs whose i8 operands reach the accumulators by GEMM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plain_programs import CLAMP, PlainConv, elementwise

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


def joined(
    terms: list[Term],
    result: tuple[int, int, int, int],
    tail: str,
    conv: PlainConv | None = None,
    *,
    narrow: bool = True,
) -> str:
    """An elementwise operation that joins operands (and a convolution before them), and what `tail` makes of `%x`."""
    wide, element = tensor(result, "i32"), "i8" if narrow else "i32"
    out, value = tensor(result, element), "%y" if narrow else "%total"
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
            f"  ^bb0({', '.join(f'%x{i}: {s[2]}' for i, s in enumerate(sources))}, %o: {element}):",
            *body,
            tail.replace("%x,", "%total,").replace("%total, :", "%total :"),
            f"    linalg.yield {value} : {element}\n  }} -> {out}",
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


@dataclass(frozen=True)
class Pooling:
    """A square window over i8 data."""

    size: int
    stride: int
    dilation: int
    kind: Literal["max", "sum"]

    def text(self, data: tuple[int, int, int, int]) -> str:
        """The pooled data as i8: sums are shifted and clamped."""
        element, start = ("i8", -128) if self.kind == "max" else ("i32", 0)
        reach = self.dilation * (self.size - 1) + 1
        shape = (*data[:2], *((extent - reach) // self.stride + 1 for extent in data[2:]))
        whole, out, window = tensor(shape, element), tensor(shape, "i8"), f"tensor<{self.size}x{self.size}xi8>"
        lines = [
            f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}",
            f"func.func @layer(%a: {tensor(data, 'i8')}) -> {out} {{",
            f"  %start = arith.constant {start} : {element}",
            f"  %window = tensor.empty() : {window}",
            f"  %empty = tensor.empty() : {whole}",
            f"  %init = linalg.fill ins(%start : {element}) outs(%empty : {whole}) -> {whole}",
            f"  %whole = linalg.pooling_nchw_{self.kind} {{dilations = dense<{self.dilation}> : tensor<2xi64>, "
            f"strides = dense<{self.stride}> : tensor<2xi64>}}",
            f"    ins(%a, %window : {tensor(data, 'i8')}, {window}) outs(%init : {whole}) -> {whole}",
        ]
        if self.kind == "sum":
            lines += elementwise("narrow", ["%whole"], whole, out, CLAMP)
        result = "%narrow" if self.kind == "sum" else "%whole"
        return "\n".join([*lines, f"  func.return {result} : {out}", "}", ""])
