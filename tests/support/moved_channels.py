"""Networks and programs that join, cut and shuffle channels between products."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.workloads.networks.network import Network


def joined(widths: Sequence[int], kernel: int) -> Network:
    """Products whose channels are joined, and read by another."""
    network = Network("joined", (1, 5, 6, 6), 0, "x")
    parts = [network.convolution(network.input, f"part{one}", width, kernel=1) for one, width in enumerate(widths)]
    network.convolution(network.concatenate(parts, "whole"), "read", 9, kernel=kernel)
    return network


def inserted(widths: Sequence[int]) -> str:
    """Joined channels as insertions into an empty tensor, last first."""
    text = joined(widths, 3).text()
    begin = text.index("  %whole = tensor.concat")
    kind = f"tensor<1x{sum(widths)}x6x6xi8>"
    lines, last = [f"  %whole_empty = tensor.empty() : {kind}"], "%whole_empty"
    for one in reversed(range(len(widths))):
        made, place = (f"%whole{one}" if one else "%whole"), [0, sum(widths[:one]), 0, 0]
        part = f"tensor<1x{widths[one]}x6x6xi8>"
        sizes = [1, widths[one], 6, 6]
        lines.append(
            f"  {made} = tensor.insert_slice %part{one} into {last}{place} {sizes} [1, 1, 1, 1] : {part} into {kind}"
        )
        last = made
    return text[:begin] + "\n".join(lines) + text[text.index("\n", begin) :]


def shuffled(groups: int, each: int) -> Network:
    """Channels of a product, shuffled in groups, that another reads."""
    network = Network("shuffled", (1, 5, 4, 6), 0, "x")
    made = network.convolution(network.input, "made", groups * each, kernel=1)
    shape, split = (1, groups, each, 4, 6), [[0], [1, 2], [3], [4]]
    grid = network.transpose(network.expand(made, "grid", shape, split), "turned", [0, 2, 1, 3, 4])
    network.convolution(network.collapse(grid, "shuffled", split), "read", 9, kernel=3)
    return network


def rows(widths: Sequence[int]) -> Network:
    """Rows of products that are joined, and read by another."""
    network = Network("rows", (3, 7), 0, "x")
    parts = [network.linear(network.input, f"part{one}", width) for one, width in enumerate(widths)]
    network.linear(network.concatenate(parts, "whole"), "read", 5)
    return network


def pooled(widths: Sequence[int], groups: int) -> Network:
    """Joined channels, shuffled, that a maximum, a convolution by channel and a sum with others read."""
    network = Network("pooled", (1, 5, 6, 6), 0, "x")
    parts = [network.convolution(network.input, f"part{one}", width, kernel=1) for one, width in enumerate(widths)]
    whole, width = network.concatenate(parts, "whole"), sum(widths)
    if width % groups == 0:
        whole = network.shuffle(whole, "shuffled", groups)
    largest = network.max_pool(whole, "largest", kernel=3, stride=1)
    filtered = network.convolution(whole, "filtered", width, kernel=3, groups=width)
    summed = network.add(largest, network.convolution(network.input, "other", width, kernel=1), "summed")
    network.convolution(network.add(summed, filtered, "both"), "read", 9, kernel=1)
    return network


def halves(width: int, units: int) -> Network:
    """Half of the channels goes on as it is, the other through a product, and both are shuffled."""
    network = Network("halves", (1, 5, 5, 5), 0, "x")
    value = network.convolution(network.input, "made", 2 * width, kernel=1)
    for unit in range(units):
        kept, half = network.cut(value, f"kept{unit}", 0, width), network.cut(value, f"half{unit}", width, width)
        half = network.convolution(half, f"half{unit}_read", width, kernel=3)
        value = network.shuffle(network.concatenate([kept, half], f"joined{unit}"), f"unit{unit}", 2)
    network.convolution(value, "read", 9, kernel=1)
    return network


POINTS = """
func.func @f(%x: tensor<1x20x3x5xi8>, %w: tensor<7x20xi8>) -> tensor<1x7x3x5xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x7x3x5xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x7x3x5xi32>) -> tensor<1x7x3x5xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, o, h, w, c) -> (n, c, h, w)>,
      affine_map<(n, o, h, w, c) -> (o, c)>, affine_map<(n, o, h, w, c) -> (n, o, h, w)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x20x3x5xi8>, tensor<7x20xi8>) outs(%i : tensor<1x7x3x5xi32>) {
  ^bb0(%a: i8, %b: i8, %s: i32):
    %0 = arith.extsi %a : i8 to i32
    %1 = arith.extsi %b : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %s, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<1x7x3x5xi32>
  func.return %r : tensor<1x7x3x5xi32>
}
"""
"""A contraction over the channels of an image, as a product of two dimensions writes it."""

CUT = """
func.func @cut(%x: tensor<3x7xi8>, %w: tensor<7x40xi8>, %v: tensor<COUNTx5xi8>) -> tensor<3x5xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x40xi32>
  %z = linalg.fill ins(%zero : i32) outs(%e : tensor<3x40xi32>) -> tensor<3x40xi32>
  %p = linalg.matmul ins(%x, %w : tensor<3x7xi8>, tensor<7x40xi8>) outs(%z : tensor<3x40xi32>) -> tensor<3x40xi32>
  %e8 = tensor.empty() : tensor<3x40xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%p : tensor<3x40xi32>) outs(%e8 : tensor<3x40xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x40xi8>
  %c = tensor.extract_slice %y[0, FIRST] [3, COUNT] [1, 1] : tensor<3x40xi8> to tensor<3xCOUNTxi8>
  %e1 = tensor.empty() : tensor<3x5xi32>
  %z1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<3x5xi32>) -> tensor<3x5xi32>
  %q = linalg.matmul ins(%c, %v : tensor<3xCOUNTxi8>, tensor<COUNTx5xi8>) outs(%z1 : tensor<3x5xi32>)
    -> tensor<3x5xi32>
  func.return %q : tensor<3x5xi32>
}
"""
"""COUNT columns of a product, from FIRST on, that another product reads."""
