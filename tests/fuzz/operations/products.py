"""Convolutions and matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.operation import draw_pads, parameter, pick
from fuzz.operations.text import iterators, maps, padded, started, windows
from fuzz.outcome import UnfitError


class Convolution:
    """NCHW convolution: strides, dilation, padding, groups, zero points; named, with a zero point, or generic."""

    feature = "convolution"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        channels = source.shape[1]
        groups = 1
        if "groups" in features and random.random() < 0.4:
            groups = random.choice([g for g in range(1, channels + 1) if channels % g == 0])
        form = random.choice(["named", *(["generic"] if "generic" in features else []), "named"])
        zero = (
            random.choice([-128, -3, 5, 127])
            if "zero_points" in features and groups == 1 and random.random() < 0.3
            else 0
        )
        features_out = groups * random.choice([1, 1, 2]) if groups > 1 else random.choice([1, 7, 8, 16, 17, 24, 33])
        return {
            "args": [source.name],
            "taps": random.choice([[1, 1], [3, 3], [3, 3], [2, 2], [1, 3], [5, 5]]),
            "stride": random.choice([1, 1, 2, 3]) if "strides" in features else 1,
            "dilation": random.choice([1, 1, 2]) if "dilation" in features else 1,
            "pads": draw_pads(random, features),
            "groups": groups,
            "channels": features_out,
            "form": "generic" if groups > 1 else form,
            "zero": zero,
            "weights": parameter(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        name, groups, zero = node["name"], node["groups"], node["zero"]
        batch, channels = source.shape[:2]
        if channels % groups or node["channels"] % groups:
            raise UnfitError("groups that do not divide the channels")
        data, array = padded(network, f"{name}_p", source, node["pads"], zero)
        per_group, taps = channels // groups, tuple(node["taps"])
        weights, numbers = network.parameter(f"{name}_w", (node["channels"], per_group, *taps), "i8", node["weights"])
        images = windows(array, (taps[0], taps[1]), node["stride"], node["dilation"])
        height, width = images[0][0].shape[2:]
        total = np.zeros((batch, node["channels"], height, width), np.int64)
        share = node["channels"] // groups
        for group in range(groups):
            block = slice(group * per_group, (group + 1) * per_group)
            rows = slice(group * share, (group + 1) * share)
            for u in range(taps[0]):
                for v in range(taps[1]):
                    part = images[u][v][:, block].astype(np.float64) - zero
                    product = np.tensordot(numbers[rows, :, u, v].astype(np.float64), part, axes=(1, 1))
                    total[:, rows] += product.transpose(1, 0, 2, 3).astype(np.int64)
        result = Value(name, total.shape, "i32")
        network.define(result, self._lines(node, data, weights, result), wrapped(total))

    def _lines(self, node: Node, data: Value, weights: Value, result: Value) -> list[str]:
        name, stride, dilation = result.name, node["stride"], node["dilation"]
        window = f"{{dilations = dense<{dilation}> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}"
        operands, kinds = f"%{data.name}, %{weights.name}", f"{data.kind}, {weights.kind}"
        if node["form"] == "named" and not node["zero"]:
            return [
                *started(result, 0),
                f"  %{name} = linalg.conv_2d_nchw_fchw {window} ins({operands} : {kinds}) "
                f"outs(%{name}_i : {result.kind}) -> {result.kind}",
            ]
        if node["form"] == "named":
            return [
                *started(result, 0),
                f"  %{name}_zx = arith.constant {node['zero']} : i32",
                f"  %{name}_zw = arith.constant 0 : i32",
                f"  %{name} = linalg.conv_2d_nchw_fchw_q {window} ins({operands}, %{name}_zx, %{name}_zw : {kinds}, "
                f"i32, i32) outs(%{name}_i : {result.kind}) -> {result.kind}",
            ]
        return [*started(result, 0), *self._generic(node, data, weights, result)]

    def _generic(self, node: Node, data: Value, weights: Value, result: Value) -> list[str]:
        name, stride, dilation, groups = result.name, node["stride"], node["dilation"], node["groups"]
        per_group, share = weights.shape[1], weights.shape[0] // groups
        channel = "c" if groups == 1 else f"(f floordiv {share}) * {per_group} + c"
        rows, columns = f"h * {stride} + u * {dilation}", f"w * {stride} + v * {dilation}"
        centred = [f"%z = arith.constant {node['zero']} : i32", "%x = arith.subi %xw, %z : i32"]
        body = [
            "%xw = arith.extsi %a : i8 to i32",
            *(centred if node["zero"] else []),
            "%k = arith.extsi %b : i8 to i32",
            f"%m = arith.muli {'%x' if node['zero'] else '%xw'}, %k : i32",
            "%y = arith.addi %acc, %m : i32",
        ]
        access = maps(f"n, {channel}, {rows}, {columns}", "f, c, u, v", "n, f, h, w", dims="n, f, h, w, c, u, v")
        return [
            f"  %{name} = linalg.generic {{{access}, {iterators(4, 3)}}} ins(%{data.name}, %{weights.name} : "
            f"{data.kind}, {weights.kind}) outs(%{name}_i : {result.kind}) {{",
            "  ^bb0(%a: i8, %b: i8, %acc: i32):",
            *(f"    {line}" for line in body),
            "    linalg.yield %y : i32",
            f"  }} -> {result.kind}",
        ]


class Product:
    """A matrix product, weights as they are or transposed; sometimes of two values."""

    feature = "product"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (2,))
        if source is None:
            return None
        return {
            "args": [source.name],
            "columns": random.choice([1, 5, 16, 17, 32, 40]),
            "transposed": random.random() < 0.5,
            "weights": parameter(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        rows, depth = source.shape
        shape = (node["columns"], depth) if node["transposed"] else (depth, node["columns"])
        weights, numbers = network.parameter(f"{node['name']}_w", shape, "i8", node["weights"])
        matrix = numbers.astype(np.int64)
        total = network.results[source.name].astype(np.int64) @ (matrix.T if node["transposed"] else matrix)
        result = Value(node["name"], (rows, node["columns"]), "i32")
        access = maps("m, k", "n, k" if node["transposed"] else "k, n", "m, n", dims="m, n, k")
        lines = [
            *started(result, 0),
            f"  %{result.name} = linalg.generic {{{access}, {iterators(2, 1)}}} ins(%{source.name}, %{weights.name} : "
            f"{source.kind}, {weights.kind}) outs(%{result.name}_i : {result.kind}) {{",
            "  ^bb0(%a: i8, %b: i8, %acc: i32):",
            "    %x = arith.extsi %a : i8 to i32",
            "    %k = arith.extsi %b : i8 to i32",
            "    %m = arith.muli %x, %k : i32",
            "    %y = arith.addi %acc, %m : i32",
            "    linalg.yield %y : i32",
            f"  }} -> {result.kind}",
        ]
        network.define(result, lines, wrapped(total))
