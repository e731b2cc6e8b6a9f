"""Integer layers of any kind as linalg text, in the form of frontends, with seeded weights in the text."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.tensor import EmptyOp

from vtac.targets.vta.programs.host_program import HostProgram
from vtac.workloads.tensor_text import Tensor, elementwise, filled, operand_list, padded, window_attributes


def kernel_count(program: HostProgram) -> int:
    """Calls of device functions, of a network that is one program: the host does nothing between them."""
    (only,) = program.devices.values()
    return max(1, len(only.kernels))


def host_steps(program: HostProgram) -> list[str]:
    """Names of the host's operations, but for constants and what is inside of others."""
    function = next(op for op in program.host.ops if isinstance(op, FuncOp) and op.body.blocks)
    quiet = (ConstantOp, EmptyOp, ReturnOp)
    return [op.name for op in function.body.block.ops if not isinstance(op, quiet)]


class LayerText:
    """A function under construction: methods append operations, `text` closes it."""

    def __init__(self, *shapes: Sequence[int], seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.inputs = [Tensor(f"x{index}", tuple(shape)) for index, shape in enumerate(shapes)]
        self.lines: list[str] = []
        self._count = 0

    def text(self, *results: Tensor) -> str:
        arguments = ", ".join(f"%{value.name}: {value.kind}" for value in self.inputs)
        kinds = ", ".join(value.kind for value in results)
        names = ", ".join(f"%{value.name}" for value in results)
        outputs = f"({kinds})" if len(results) > 1 else kinds
        lines = [f"func.func @net({arguments}) -> {outputs} {{", *self.lines, f"  func.return {names} : {kinds}", "}"]
        return "\n".join([*lines, ""])

    def constant(self, shape: Sequence[int], low: int, high: int, element: str = "i8") -> Tensor:
        numbers = self.random.integers(low, high, tuple(shape)).astype({"i8": "<i1", "i32": "<i4"}[element])
        return self._op(f'arith.constant dense<"0x{numbers.tobytes().hex().upper()}">', shape, element)

    def scalar(self, number: int | str, element: str) -> Tensor:
        value = Tensor(self._name(), (), element)
        self.lines.append(f"  %{value.name} = arith.constant {number} : {element}")
        return value

    def pad(self, x: Tensor, pads: Sequence[int], value: int | str = 0) -> Tensor:
        """Around the last two dimensions: top, left, bottom, right."""
        if not any(pads):
            return x
        result, text = padded(self._name(), x, pads, value)
        self.lines.append(text)
        return result

    def convolution(
        self,
        x: Tensor,
        features: int,
        size: int = 3,
        stride: int = 1,
        pads: Sequence[int] = (0, 0, 0, 0),
        zero_point: int | None = None,
        dilation: int = 1,
        kernel_zero: int = 0,
    ) -> Tensor:
        """Constant weights and a bias; the accumulators. The padding holds the zero point, where there is one."""
        around = self.pad(x, pads, zero_point or 0)
        weights = self.constant((features, x.shape[1], size, size), -20, 20)
        height, width = ((extent - dilation * (size - 1) - 1) // stride + 1 for extent in around.shape[2:])
        shape = (x.shape[0], features, height, width)
        points = [] if zero_point is None else [self.scalar(number, "i32") for number in (zero_point, kernel_zero)]
        op = f"linalg.conv_2d_nchw_fchw{'' if zero_point is None else '_q'} {window_attributes(stride, dilation)}"
        return self.bias(self.structured(op, [around, weights], shape, "i32", 0, points))

    def bias(self, x: Tensor) -> Tensor:
        bias = self.constant((x.shape[1],), -2000, 2000, "i32")
        return self.elementwise("%y = arith.addi %a0, %a1 : i32", [x, bias], "i32")

    def product(self, x: Tensor, features: int) -> Tensor:
        weights = self.constant((x.shape[1], features), -20, 20)
        total = self.structured("linalg.matmul", [x, weights], (x.shape[0], features), "i32", 0)
        return self.bias(total)

    def pool(
        self,
        x: Tensor,
        kind: str,
        size: Sequence[int],
        stride: int,
        pads: Sequence[int] = (0, 0, 0, 0),
        edge: int | str = 0,
    ) -> Tensor:
        """The largest elements, or sums as i32."""
        around = self.pad(x, pads, edge)
        height, width = ((extent - n) // stride + 1 for extent, n in zip(around.shape[2:], size, strict=True))
        window = self._op("tensor.empty()", size, "i8")
        shape = (*x.shape[:2], height, width)
        element = x.element if kind == "max" else "i32"
        start = 0 if kind == "sum" else -128 if element == "i8" else "0xFF800000"
        return self.structured(
            f"linalg.pooling_nchw_{kind} {window_attributes(stride)}", [around, window], shape, element, start
        )

    def narrow(self, x: Tensor, shift: int, low: int = -128, *, half_up: bool = False) -> Tensor:
        """Shift right, clamp, truncate."""
        body = f"""%h = arith.constant {(1 << shift) >> 1 if half_up else 0} : i32
    %u = arith.addi %a0, %h : i32
    %c = arith.constant {shift} : i32
    %s = arith.shrsi %u, %c : i32
    %l = arith.constant {low} : i32
    %g = arith.constant 127 : i32
    %m = arith.maxsi %s, %l : i32
    %n = arith.minsi %m, %g : i32
    %y = arith.trunci %n : i32 to i8"""
        return self.elementwise(body, [x], "i8")

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        """The sum of two i8 tensors as i32."""
        body = (
            "%l = arith.extsi %a0 : i8 to i32\n    %r = arith.extsi %a1 : i8 to i32\n    %y = arith.addi %l, %r : i32"
        )
        return self.elementwise(body, [a, b], "i32")

    def reshape(self, x: Tensor, shape: Sequence[int], groups: str, *, expand: bool = False) -> Tensor:
        name = self._name()
        result = Tensor(name, tuple(shape), x.element)
        sizes = f" output_shape [{', '.join(map(str, shape))}]" if expand else ""
        kind = "expand" if expand else "collapse"
        self.lines.append(f"  %{name} = tensor.{kind}_shape %{x.name} {groups}{sizes} : {x.kind} into {result.kind}")
        return result

    def flatten(self, x: Tensor) -> Tensor:
        return self.reshape(x, (x.shape[0], prod(x.shape[1:])), "[[0], [1, 2, 3]]")

    def elementwise(self, body: str, operands: Sequence[Tensor], element: str) -> Tensor:
        """One generic over the first operand's shape; operands of rank 1 follow dimension 1."""
        result = Tensor(self._name(), operands[0].shape, element)
        self.lines.append(elementwise(result, operands, body))
        return result

    def structured(
        self,
        op: str,
        operands: Sequence[Tensor],
        shape: Sequence[int],
        element: str,
        start: int | str,
        scalars: Sequence[Tensor] = (),
    ) -> Tensor:
        """A structured operation on a fill with a number."""
        start_value = Tensor(self._name(), tuple(shape), element)
        result = Tensor(self._name(), tuple(shape), element)
        self.lines += [
            filled(start_value, start),
            f"  %{result.name} = {op} {operand_list(operands, scalars)} "
            f"outs(%{start_value.name} : {result.kind}) -> {result.kind}",
        ]
        return result

    def _op(self, text: str, shape: Sequence[int], element: str) -> Tensor:
        value = Tensor(self._name(), tuple(shape), element)
        self.lines.append(f"  %{value.name} = {text} : {value.kind}")
        return value

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"
