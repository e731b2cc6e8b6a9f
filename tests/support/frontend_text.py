"""A printer of linalg on tensors, as torch-mlir writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.int8]
Words = NDArray[np.int32]


class Value:
    """A name with its type, as text."""

    def __init__(self, name: str, shape: Sequence[int], element: str) -> None:
        self.name, self.shape, self.element = name, tuple(shape), element

    @property
    def kind(self) -> str:
        return f"tensor<{'x'.join([*map(str, self.shape), self.element])}>"


class Printer:
    """Collects a function's lines: maps and constants first, values numbered, resources at the end."""

    def __init__(self, *arguments: Value, channels_last: bool = False) -> None:
        self.arguments = arguments
        self.channels_last = channels_last
        self.maps: list[str] = []
        self.constants: dict[str, str] = {}
        self.resources: list[str] = []
        self.lines: list[str] = []
        self.numbered = 0
        self.named: dict[str, int] = {}

    def text(self, result: Value) -> str:
        """The module. Values in bodies are numbered on from the function's."""
        maps = [f"#map{index or ''} = {text}" for index, text in enumerate(self.maps)]
        arguments = ", ".join(f"{value.name}: {value.kind}" for value in self.arguments)
        body = [f"    {name} = arith.constant {text}" for name, text in self.constants.items()]
        body += [re.sub(r"%@(\d+)", lambda m: f"%{self.numbered + int(m[1])}", line) for line in self.lines]
        head = ["module {", f"  func.func @main({arguments}) -> {result.kind} {{"]
        tail = [f"    return {result.name} : {result.kind}", "  }", "}", ""]
        if self.resources:
            tail += [
                "{-#",
                "  dialect_resources: {",
                "    builtin: {",
                ",\n".join(self.resources),
                "    }",
                "  }",
                "#-}",
                "",
            ]
        return "\n".join([*maps, *head, *body, *tail])

    def name(self, stem: str) -> str:
        """`%stem`, `%stem_0`, ...; numbers without a stem."""
        if not stem:
            self.numbered += 1
            return f"%{self.numbered - 1}"
        count = self.named.get(stem, -1)
        self.named[stem] = count + 1
        return f"%{stem}" if count < 0 else f"%{stem}_{count}"

    def scalar(self, number: int | float, element: str) -> str:
        """The name of a constant, made once."""
        text = _real(number) if element == "f32" else str(number)
        name = next((n for n, found in self.constants.items() if found == f"{text} : {element}"), None)
        if name is None:
            name = self.name("cst") if element == "f32" else f"%c{number}_{element}"
            self.constants[name] = f"{text} : {element}"
        return name

    def weights(self, numbers: Bytes | Words, resource: str = "") -> Value:
        """A dense constant, as hexadecimal text in place or as a resource."""
        little = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes().hex().upper()
        value = Value(self.name("cst"), numbers.shape, f"i{8 * numbers.dtype.itemsize}")
        if resource:
            self.constants[value.name] = f"dense_resource<{resource}> : {value.kind}"
            self.resources.append(f'      {resource}: "0x04000000{little}"')
        else:
            self.constants[value.name] = f'dense<"0x{little}"> : {value.kind}'
        return value

    def empty(self, shape: Sequence[int], element: str) -> Value:
        value = Value(self.name(""), shape, element)
        self.lines.append(f"    {value.name} = tensor.empty() : {value.kind}")
        return value

    def fill(self, shape: Sequence[int], number: int, element: str) -> Value:
        scalar, out = self.scalar(number, element), self.empty(shape, element)
        value = Value(self.name(""), shape, element)
        self.lines.append(
            f"    {value.name} = linalg.fill ins({scalar} : {element}) outs({out.name} : {out.kind}) -> {out.kind}"
        )
        return value

    def named_op(self, op: str, operands: Sequence[Value], out: Value, scalars: Sequence[str] = ()) -> Value:
        value = Value(self.name(""), out.shape, out.element)
        names = ", ".join([*(v.name for v in operands), *scalars])
        kinds = ", ".join([*(v.kind for v in operands), *["i32"] * len(scalars)])
        self.lines.append(
            f"    {value.name} = linalg.{op} ins({names} : {kinds}) outs({out.name} : {out.kind}) -> {out.kind}"
        )
        return value

    def generic(self, operands: Sequence[Value], shape: Sequence[int], element: str, body: Sequence[str]) -> Value:
        """`body` computes `%@0`, `%@1`, ... from `%in`, `%in_0`; operands of rank 1 follow the channels."""
        dims = [f"d{dim}" for dim in range(len(shape))]
        channels = dims[-1] if len(dims) == 2 or self.channels_last else dims[1]
        maps = [self._map(dims, [channels] if len(v.shape) == 1 and len(shape) > 1 else dims) for v in operands]
        maps.append(self._map(dims, dims))
        out = self.empty(shape, element)
        value = Value(self.name(""), shape, element)
        kinds = ", ".join(['"parallel"'] * len(dims))
        inputs = f"{', '.join(v.name for v in operands)} : {', '.join(v.kind for v in operands)}"
        arguments = [f"%in{f'_{i - 1}' if i else ''}: {v.element}" for i, v in enumerate(operands)]
        self.lines += [
            f"    {value.name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = [{kinds}]}} "
            f"ins({inputs}) outs({out.name} : {out.kind}) {{",
            f"    ^bb0({', '.join([*arguments, f'%out: {element}'])}):",
            *(f"      {line}" for line in body),
            f"    }} -> {value.kind}",
        ]
        return value

    def broadcast(self, source: Value, shape: Sequence[int], dimensions: Sequence[int]) -> Value:
        out = self.empty(shape, source.element)
        value = Value(self.name("broadcasted"), shape, source.element)
        self.lines.append(
            f"    {value.name} = linalg.broadcast ins({source.name} : {source.kind}) outs({out.name} : {out.kind}) "
            f"dimensions = [{', '.join(map(str, dimensions))}] "
        )
        return value

    def transpose(self, source: Value) -> Value:
        out = self.empty(source.shape[::-1], source.element)
        value = Value(self.name("transposed"), out.shape, out.element)
        self.lines.append(
            f"    {value.name} = linalg.transpose ins({source.name} : {source.kind}) outs({out.name} : {out.kind}) "
            "permutation = [1, 0] "
        )
        return value

    def pad(self, source: Value, low: Sequence[int], high: Sequence[int], number: int) -> Value:
        edge = self.scalar(number, source.element)
        shape = [a + n + z for a, n, z in zip(low, source.shape, high, strict=True)]
        value = Value(self.name("padded"), shape, source.element)
        indices = ", ".join(f"%arg{1 + dim}: index" for dim in range(len(shape)))
        self.lines += [
            f"    {value.name} = tensor.pad {source.name} low{list(low)} high{list(high)} {{",
            f"    ^bb0({indices}):",
            f"      tensor.yield {edge} : {source.element}",
            f"    }} : {source.kind} to {value.kind}",
        ]
        return value

    def collapse(self, source: Value, groups: Sequence[Sequence[int]]) -> Value:
        shape = [int(np.prod([source.shape[dim] for dim in group])) for group in groups]
        value = Value(self.name("collapsed"), shape, source.element)
        text = ", ".join(f"[{', '.join(map(str, group))}]" for group in groups)
        self.lines.append(
            f"    {value.name} = tensor.collapse_shape {source.name} [{text}] : {source.kind} into {value.kind}"
        )
        return value

    def _map(self, dims: Sequence[str], results: Sequence[str]) -> str:
        text = f"affine_map<({', '.join(dims)}) -> ({', '.join(results)})>"
        if text not in self.maps:
            self.maps.append(text)
        return f"#map{self.maps.index(text) or ''}"


def _real(number: float) -> str:
    """Six decimals where they are exact, else nine digits."""
    short = f"{number:e}"
    if float(short) == number:
        return short
    digits, exponent = f"{number:.8E}".split("E")
    return f"{digits}E{int(exponent)}"


def window(stride: int, dilation: int = 1) -> str:
    return f"{{dilations = dense<{dilation}> : vector<2xi64>, strides = dense<{stride}> : vector<2xi64>}}"
