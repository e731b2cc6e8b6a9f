"""Programs on floats as linalg text, written statement by statement: indices by letters, bodies as arith and math."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vtac.workloads.linalg_text import iterators
from vtac.workloads.tensor_text import Tensor, operand_list

_LETTER = re.compile(r"[a-z]\w*")
_VALUE = re.compile(r"%(\w+)")
LEAST = "0xFF800000"
"""Minus infinity, as a constant of f32."""

Read = tuple[Tensor, str]
"""A tensor and the indices at which a statement reads it, as `n, y * 2 + r, c`; a name is a loop."""


def _names(indices: str) -> list[str]:
    return list(dict.fromkeys(_LETTER.findall(indices)))


@dataclass
class FloatProgram:
    """One function under construction."""

    name: str
    arguments: list[Tensor] = field(default_factory=list[Tensor])
    lines: list[str] = field(default_factory=list[str])

    def argument(self, name: str, shape: Sequence[int], element: str = "f16") -> Tensor:
        """One more argument."""
        self.arguments.append(Tensor(name, tuple(shape), element))
        return self.arguments[-1]

    def empty(self, name: str, shape: Sequence[int], element: str = "f16") -> Tensor:
        """A tensor without contents: the shape of a window."""
        result = Tensor(name, tuple(shape), element)
        self.lines.append(f"  %{name} = tensor.empty() : {result.kind}")
        return result

    def map(self, result: Tensor, reads: Sequence[Read], body: str, indices: str = "") -> Tensor:
        """Each element by a body that makes `%y` of `%a0`, `%a1`, ...; without `indices`, those of the first read."""
        written = indices or reads[0][1]
        self._generic(result, reads, written, body, f"%{result.name}_empty")
        return result

    def reduce(self, result: Tensor, reads: Sequence[Read], indices: str, body: str, start: str = "0.0") -> Tensor:
        """Sums over the loops that `indices` lack: a body makes `%y` of `%acc` and the elements, from a number on."""
        number = f"%{result.name}_start"
        self.lines += [
            f"  {number} = arith.constant {start} : {result.element}",
            f"  %{result.name}_none = tensor.empty() : {result.kind}",
            f"  %{result.name}_init = linalg.fill ins({number} : {result.element}) outs(%{result.name}_none : "
            f"{result.kind}) -> {result.kind}",
        ]
        self._generic(result, reads, indices, body, f"%{result.name}_init")
        return result

    def product(self, result: Tensor, left: Read, right: Read, indices: str) -> Tensor:
        """Sums of products of two operands, widened to the result's type."""
        wide = [f"extf %a{at} : {t.element} to {result.element}" for at, (t, _) in enumerate((left, right))]
        names = ["%a0_wide", "%a1_wide"] if left[0].element != result.element else ["%a0", "%a1"]
        lines = [f"{name} = arith.{how}" for name, how in zip(names, wide, strict=True) if name.endswith("_wide")]
        lines += [
            f"%a_product = arith.mulf {names[0]}, {names[1]} : {result.element}",
            f"%y = arith.addf %acc, %a_product : {result.element}",
        ]
        return self.reduce(result, [left, right], indices, "\n    ".join(lines))

    def convert(self, name: str, source: Tensor, element: str) -> Tensor:
        """The same numbers in another float type."""
        how = "truncf" if element in ("f16", "bf16") else "extf"
        dims = ", ".join(f"d{at}" for at in range(len(source.shape)))
        return self.map(
            Tensor(name, source.shape, element),
            [(source, dims)],
            f"%y = arith.{how} %a0 : {source.element} to {element}",
        )

    def reshape(self, name: str, source: Tensor, groups: Sequence[Sequence[int]], shape: Sequence[int]) -> Tensor:
        """The same elements in another shape: dimensions split or joined, each group one on the other side."""
        result = Tensor(name, tuple(shape), source.element)
        shown = f"[{', '.join(str(list(group)) for group in groups)}]"
        if len(shape) > len(source.shape):
            self.lines.append(
                f"  %{name} = tensor.expand_shape %{source.name} {shown} output_shape {list(shape)} : {source.kind} "
                f"into {result.kind}"
            )
        else:
            self.lines.append(
                f"  %{name} = tensor.collapse_shape %{source.name} {shown} : {source.kind} into {result.kind}"
            )
        return result

    def _generic(self, result: Tensor, reads: Sequence[Read], written: str, body: str, start: str) -> None:
        kept = _names(written)
        loops = list(dict.fromkeys([*kept, *(name for _, indices in reads for name in _names(indices))]))
        maps = [f"affine_map<({', '.join(loops)}) -> ({indices})>" for indices in (*(at for _, at in reads), written)]
        arguments = ", ".join(f"%in_a{at}: {one.element}" for at, (one, _) in enumerate(reads))
        inner = _VALUE.sub(r"%in_\1", body)  # names of a body that no tensor has
        if start.endswith("_empty"):
            self.lines.append(f"  {start} = tensor.empty() : {result.kind}")
        kinds = iterators(len(kept), len(loops) - len(kept))
        self.lines.append(
            f"""\
  %{result.name} = linalg.generic {{indexing_maps = [{", ".join(maps)}], {kinds}}}
    {operand_list([one for one, _ in reads])} outs({start} : {result.kind}) {{
  ^bb0({arguments}, %in_acc: {result.element}):
    {inner}
    linalg.yield %in_y : {result.element}
  }} -> {result.kind}"""
        )

    def text(self, *results: Tensor) -> str:
        """The function, which returns some tensors."""
        arguments = ", ".join(f"%{one.name}: {one.kind}" for one in self.arguments)
        kinds = ", ".join(one.kind for one in results)
        names = ", ".join(f"%{one.name}" for one in results)
        head = f"func.func @{self.name}({arguments}) -> ({kinds}) {{"
        return "\n".join([head, *self.lines, f"  func.return {names} : {kinds}", "}", ""])


def gelu(value: str, result: str, element: str = "f32") -> str:
    """x * (1 + erf(x / sqrt 2)) / 2, as lines of a body."""
    return "\n    ".join(
        [
            f"%half = arith.constant 0.5 : {element}",
            f"%one = arith.constant 1.0 : {element}",
            f"%root = arith.constant 0.70710678118654752 : {element}",
            f"%scaled = arith.mulf {value}, %root : {element}",
            f"%erf = math.erf %scaled : {element}",
            f"%more = arith.addf %erf, %one : {element}",
            f"%part = arith.mulf {value}, %half : {element}",
            f"{result} = arith.mulf %part, %more : {element}",
        ]
    )
