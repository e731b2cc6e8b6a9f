"""Small products and windows, for proofs of what the compiler makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from layer_text import LayerText
from rule_proofs import expanded

from vtac.workloads.tensor_text import Tensor, window_attributes


def matmul(
    lines: str,
    zeros: tuple[int, int] | None = None,
    weights: Sequence[int] = (),
    others: Sequence[int] = (),
    shape: tuple[int, int, int] = (1, 3, 2),
) -> str:
    """Rows times columns, with lines in shorthand that make the i8 `y` of the i32 `a0`.

    `shape` is rows, depth, columns. The weights are an argument where none are given; `others` are those of a
    second product `a1`, and `a2` is then an i32 argument.
    """
    rows, depth, columns = shape
    net = LayerText((rows, depth)) if weights else LayerText((rows, depth), (depth, columns))
    if others:
        net.inputs.append(Tensor("bias", (1, 2), "i32"))
    data = net.inputs[0]
    kernels = [_constant(net, one) for one in (weights, others) if one] if weights else [net.inputs[1]]
    scalars = [] if zeros is None else [net.scalar(zero, "i32") for zero in zeros]
    name = "linalg.matmul" if zeros is None else "linalg.quantized_matmul"
    totals = [net.structured(name, [data, kernel], (rows, columns), "i32", 0, scalars) for kernel in kernels]
    return net.text(_lines(net, lines, *totals, *net.inputs[1:] if others else ()))


def _lines(net: LayerText, lines: str, *operands: Tensor) -> Tensor:
    """Lines in shorthand that make the i8 `y` of `a0`, ..."""
    return net.elementwise("\n    ".join(expanded(lines)), operands, "i8")


def _constant(net: LayerText, numbers: Sequence[int]) -> Tensor:
    found = Tensor(f"k{len(net.lines)}", (3, 2))
    rows = ", ".join(f"[{left}, {right}]" for left, right in zip(numbers[::2], numbers[1::2], strict=True))
    net.lines.append(f"  %{found.name} = arith.constant dense<[{rows}]> : {found.kind}")
    return found


def convolution(zero: int, edge: int, pad: int, stride: int = 1) -> str:
    """3 x 3 taps over a 3 x 3 image of one channel, data with a zero point and padding of `edge`; the low byte."""
    net = LayerText((1, 1, 3, 3))
    data, kernel = net.inputs[0], net.constant((1, 1, 3, 3), -128, 128)
    around = net.pad(data, (pad,) * 4, edge)
    extent = (3 + 2 * pad - 3) // stride + 1
    scalars = [net.scalar(number, "i32") for number in (zero, 0)]
    op = f"linalg.conv_2d_nchw_fchw_q {window_attributes(stride)}"
    total = net.structured(op, [around, kernel], (1, 1, extent, extent), "i32", 0, scalars)
    return net.text(
        net.elementwise("\n".join(expanded("s = shrsi a0 3 : i32\ny = trunci s : i32 to i8")), [total], "i8")
    )


def pooling(kind: str, edge: int, pad: int, start: int, *, relu: bool = False) -> str:
    """Windows of 2 x 2 over a 3 x 3 image of one channel; their largest element, or the low byte of half their sum."""
    net = LayerText((1, 1, 3, 3))
    data = net.inputs[0]
    if relu:
        data = _lines(net, "y = maxsi a0 0 : i8", data)
    around = net.pad(data, (pad,) * 4, edge)
    window = Tensor("window", (2, 2))
    net.lines.append(f"  %window = tensor.empty() : {window.kind}")
    shape = (1, 1, 2 + 2 * pad, 2 + 2 * pad)
    element = "i8" if kind == "max" else "i32"
    total = net.structured(
        f"linalg.pooling_nchw_{kind} {window_attributes(1)}", [around, window], shape, element, start
    )
    if kind == "max":
        return net.text(total)
    return net.text(
        net.elementwise("\n".join(expanded("s = shrsi a0 1 : i32\ny = trunci s : i32 to i8")), [total], "i8")
    )
