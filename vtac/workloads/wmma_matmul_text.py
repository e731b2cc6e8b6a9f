"""Matrix products as linalg text: padded to whole tiles, multiplied, finished, cropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.workloads.linalg_text import affine_map, iterators, tensor

if TYPE_CHECKING:
    from vtac.workloads.wmma_matmul import WmmaMatmul


class MatmulText:
    """Writes one product."""

    def __init__(self, layer: WmmaMatmul) -> None:
        self.layer = layer

    def text(self) -> str:
        """The program as linalg text."""
        narrow, wide = self._types()
        a, b = tensor((self.layer.m, self.layer.k), narrow), tensor((self.layer.k, self.layer.n), narrow)
        c = tensor((self.layer.m, self.layer.n), wide)
        bias = f", %bias: {tensor((self.layer.n,), wide)}" if self.layer.bias else ""
        m, n, k = self.layer.padded
        lines = [f"func.func @matmul(%a: {a}, %b: {b}{bias}) -> {c} {{"]
        left, right = (
            self._pad(lines, "a", (self.layer.m, self.layer.k), (m, k)),
            self._pad(lines, "b", (self.layer.k, self.layer.n), (k, n)),
        )
        whole, loops = self._whole()
        zero = "0" if wide == "i32" else "0.0"
        maps = ", ".join(affine_map(f"{loops}, k", it) for it in ("i, k", "k, j", loops))
        product = "product" if self.layer.staged else "c"
        lines += [
            f"  %zero = arith.constant {zero} : {wide}",
            f"  %empty = tensor.empty() : {whole}",
            f"  %init = linalg.fill ins(%zero : {wide}) outs(%empty : {whole}) -> {whole}",
            f"  %{product} = linalg.generic {{indexing_maps = [{maps}], {iterators(loops.count(',') + 1, 1)}}}",
            f"    ins(%{left[0]}, %{right[0]} : {left[1]}, {right[1]}) outs(%init : {whole}) {{",
            *self._multiply(narrow, wide),
            f"  }} -> {whole}",
        ]
        if self.layer.has_epilogue:
            lines += self._epilogue(lines, wide)
        if self.layer.cropped:
            layout = f"dims [0, 1] tiles [{m}, {n}] order [0, 1]"
            source = "epilogue" if self.layer.has_epilogue else "product"
            lines.append(f"  %c = packing.unpack %{source} {layout} : {whole} to {c}")
        return "\n".join([*lines, f"  func.return %c : {c}", "}"]) + "\n"

    def _whole(self) -> tuple[str, str]:
        """Type of the padded product, and its loops: as one tile where it is cropped."""
        m, n, _ = self.layer.padded
        wide = self._types()[1]
        return (tensor((1, 1, m, n), wide), "u, v, i, j") if self.layer.cropped else (tensor((m, n), wide), "i, j")

    def _types(self) -> tuple[str, str]:
        return ("i8", "i32") if self.layer.element == "s8" else (self.layer.element, "f32")

    def _pad(
        self, lines: list[str], name: str, shape: tuple[int, ...], padded: tuple[int, ...], kind: str = ""
    ) -> tuple[str, str]:
        """Zeros up to whole tiles; the name and type of what is computed with."""
        element = kind or self._types()[0]
        source, result = tensor(shape, element), tensor(padded, element)
        if shape == padded:
            return name, source
        high = [new - old for new, old in zip(padded, shape, strict=True)]
        indices = ", ".join(f"%p{dimension}: index" for dimension in range(len(shape)))
        lines += [
            f"  %{name}_zero = arith.constant {'0' if element.startswith('i') else '0.0'} : {element}",
            f"  %{name}_pad = tensor.pad %{name} low{[0] * len(shape)} high{high} {{",
            f"  ^bb0({indices}):",
            f"    tensor.yield %{name}_zero : {element}",
            f"  }} : {source} to {result}",
        ]
        return f"{name}_pad", result

    def _multiply(self, narrow: str, wide: str) -> list[str]:
        extend, multiply, add = ("extsi", "muli", "addi") if self.layer.element == "s8" else ("extf", "mulf", "addf")
        return [
            f"  ^bb0(%x: {narrow}, %w: {narrow}, %acc: {wide}):",
            f"    %xw = arith.{extend} %x : {narrow} to {wide}",
            f"    %ww = arith.{extend} %w : {narrow} to {wide}",
            f"    %mul = arith.{multiply} %xw, %ww : {wide}",
            f"    %sum = arith.{add} %acc, %mul : {wide}",
            f"    linalg.yield %sum : {wide}",
        ]

    def _epilogue(self, before: list[str], wide: str) -> list[str]:
        c, loops = self._whole()
        row, same = affine_map(loops, "j"), affine_map(loops, loops)
        maps = [same, row, same] if self.layer.bias else [same, same]
        inputs = f"%product : {c}"
        if self.layer.bias:
            bias, kind = self._pad(before, "bias", (self.layer.n,), self.layer.padded[1:2], wide)
            inputs = f"%product, %{bias} : {c}, {kind}"
        arguments = f"%x: {wide}, %y: {wide}, %o: {wide}" if self.layer.bias else f"%x: {wide}, %o: {wide}"
        integer = wide == "i32"
        lines = [
            f"  %c_empty = tensor.empty() : {c}",
            f"  %{'epilogue' if self.layer.cropped else 'c'} = linalg.generic {{indexing_maps = [{', '.join(maps)}], "
            f"{iterators(loops.count(',') + 1)}}}",
            f"    ins({inputs}) outs(%c_empty : {c}) {{",
            f"  ^bb0({arguments}):",
        ]
        result = "%x"
        if self.layer.bias:
            lines.append(f"    %biased = arith.{'addi' if integer else 'addf'} %x, %y : {wide}")
            result = "%biased"
        if self.layer.relu:
            lines.append(f"    %least = arith.constant {'0' if integer else '0.0'} : {wide}")
            lines.append(f"    %relu = arith.{'maxsi' if integer else 'maximumf'} {result}, %least : {wide}")
            result = "%relu"
        return [*lines, f"    linalg.yield {result} : {wide}", f"  }} -> {c}"]
