"""Programs on plain tensors: layers as frontends write them, and their runs against numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.workloads.linalg_text import affine_map, iterators, tensor

SMALL_BLOCK = VTAConfig.from_fields(
    {
        **VTAConfig().to_fields(),
        "LOG_BATCH": 2,
        "LOG_BLOCK": 3,
        "LOG_INP_BUFF_SIZE": 16,
        "LOG_WGT_BUFF_SIZE": 16,
        "LOG_ACC_BUFF_SIZE": 18,
    },
    "tests",
)
"""BATCH 4, BLOCK 8."""

CLAMP = """
    %c = arith.constant 6 : i32
    %s = arith.shrsi %x, %c : i32
    %lo = arith.constant -100 : i32
    %hi = arith.constant 127 : i32
    %mx = arith.maxsi %s, %lo : i32
    %mn = arith.minsi %mx, %hi : i32
    %y = arith.trunci %mn : i32 to i8"""
"""A body on `%x`: shift right, clamp, truncate to `%y`."""

HALF_UP = CLAMP.replace(
    "%s = arith.shrsi %x",
    "%half = arith.constant 32 : i32\n    %up = arith.addi %x, %half : i32\n    %s = arith.shrsi %up",
)
"""The same, rounded half up."""


@dataclass(frozen=True)
class PlainConv:
    """A convolution in NCHW with an optional bias and a tail (a body, or none for an i32 result)."""

    batch: int = 1
    channels: int = 16
    height: int = 6
    width: int = 5
    features: int = 16
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    dilation: int = 1
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, left, bottom, right."""
    bias: bool = False
    tail: str | None = CLAMP

    @property
    def result(self) -> tuple[int, int, int, int]:
        top, left, bottom, right = self.pads
        sizes = (self.height + top + bottom, self.width + left + right)
        height, width = (
            (size - self.dilation * (taps - 1) - 1) // self.stride + 1
            for size, taps in zip(sizes, self.kernel, strict=True)
        )
        return (self.batch, self.features, height, width)

    def text(self) -> str:
        data = (self.batch, self.channels, self.height, self.width)
        weights = tensor((self.features, self.channels, *self.kernel), "i8")
        wide = tensor(self.result, "i32")
        out = wide if self.tail is None else tensor(self.result, "i8")
        bias = f", %bias: {tensor((self.features,), 'i32')}" if self.bias else ""
        lines = [
            f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}",
            f"#channel = {affine_map('n, c, h, w', 'c')}",
            f"func.func @layer(%data: {tensor(data, 'i8')}, %w: {weights}{bias}) -> {out} {{",
            *self.lines(),
        ]
        value = "%conv"
        if self.bias:
            body = "^bb0(%x0: i32, %b: i32, %o: i32):\n    %y = arith.addi %x0, %b : i32\n    linalg.yield %y : i32"
            lines += [
                f"  %biased = linalg.generic {{indexing_maps = [#id, #channel, #id], {iterators(4)}}}",
                f"    ins({value}, %bias : {wide}, {tensor((self.features,), 'i32')}) outs(%empty : {wide}) {{",
                f"  {body}\n  }} -> {wide}",
            ]
            value = "%biased"
        if self.tail is not None:
            lines += elementwise("narrow", [value], wide, out, self.tail)
            value = "%narrow"
        return "\n".join([*lines, f"  func.return {value} : {out}", "}", ""])

    def lines(self) -> list[str]:
        """The convolution `%conv` of `%data` and `%w`."""
        data = (self.batch, self.channels, self.height, self.width)
        weights = tensor((self.features, self.channels, *self.kernel), "i8")
        wide = tensor(self.result, "i32")
        return [
            "  %zero = arith.constant 0 : i32",
            *self._pad(data),
            f"  %empty = tensor.empty() : {wide}",
            f"  %init = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}",
            f"  %conv = linalg.conv_2d_nchw_fchw {{dilations = dense<{self.dilation}> : tensor<2xi64>, "
            f"strides = dense<{self.stride}> : tensor<2xi64>}}",
            f"    ins(%padded, %w : {self._padded(data)}, {weights}) outs(%init : {wide}) -> {wide}",
        ]

    def _padded(self, data: Sequence[int]) -> str:
        top, left, bottom, right = self.pads
        return tensor((*data[:2], data[2] + top + bottom, data[3] + left + right), "i8")

    def _pad(self, data: Sequence[int]) -> list[str]:
        top, left, bottom, right = self.pads
        return [
            "  %nothing = arith.constant 0 : i8",
            f"  %padded = tensor.pad %data low[0, 0, {top}, {left}] high[0, 0, {bottom}, {right}] {{",
            "  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):",
            "    tensor.yield %nothing : i8",
            f"  }} : {tensor(data, 'i8')} to {self._padded(data)}",
        ]


def elementwise(name: str, sources: Sequence[str], kind: str, out: str, body: str, rank: int = 4) -> list[str]:
    """A generic of `body`, which defines `%y` from `%x` (and `%x1`), over operands of one type."""
    element, result = kind.rsplit("x", 1)[1][:-1], out.rsplit("x", 1)[1][:-1]
    maps = ", ".join(["#id"] * (len(sources) + 1))
    names = ["%x" if not i else f"%x{i}" for i in range(len(sources))]
    arguments = ", ".join(f"{argument}: {element}" for argument in names)
    return [
        f"  %{name}_empty = tensor.empty() : {out}",
        f"  %{name} = linalg.generic {{indexing_maps = [{maps}], {iterators(rank)}}}",
        f"    ins({', '.join(sources)} : {', '.join([kind] * len(sources))}) outs(%{name}_empty : {out}) {{",
        f"  ^bb0({arguments}, %o: {result}):{body}",
        f"    linalg.yield %y : {result}",
        f"  }} -> {out}",
    ]


def random_inputs(program: vtac.VtaProgram, seed: int = 0) -> list[Array]:
    """Arrays for a program's arguments: all of i8, some of the wider types."""
    generator = np.random.default_rng(seed)
    arrays: list[Array] = []
    for buffer in program.arguments:
        limit = 128 if buffer.dtype == "int8" else 5000
        arrays.append(generator.integers(-limit, limit, buffer.shape).astype(buffer.dtype))
    return arrays


def run_against_numpy(text: str, config: VTAConfig | None = None) -> HostProgram:
    """Compile and run a plain program; the same numbers as its linalg, and every stream proven clean."""
    module = vtac.parse(text)
    program = vtac.compile(module, config=config)
    assert isinstance(program, HostProgram)
    inputs = random_inputs(program)
    found, expected = program(*inputs), evaluate(module, *inputs)
    assert isinstance(found, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert_same(found, expected)
    for device in program.devices.values():
        assert vtac.check(device) == []
    return program


def assert_same(found: NDArray[np.generic], expected: NDArray[np.generic]) -> None:
    """Equal in dtype, shape and every element."""
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


_PLACE = re.compile(r" \([^()]*:\d+:\d+[^()]*\)(; [a-z ]+.*)?$")


def said(program: VtaProgram) -> tuple[str, ...]:
    """What a program lists as chosen, without places, sizes and remedies, and without the ends of streams."""
    return tuple(_PLACE.sub("", choice) for choice in program.choices if not choice.startswith("stream break"))


def unforced_choices(program: HostProgram) -> tuple[str, ...]:
    """What a program lists as chosen, but for few channels in a block, which only their number decides."""
    few = ("padded with zeros to a block", "window folded into channels by the host")
    return tuple(choice for choice in said(program) if not any(text in choice for text in few))
