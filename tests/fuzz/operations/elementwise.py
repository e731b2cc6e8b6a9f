"""Elementwise operations on i32 and i8, and the ways from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Array, Network, Node, Value, wrapped
from fuzz.operations.operation import parameter, pick
from fuzz.operations.text import generic, letters
from fuzz.outcome import UnfitError


class Bias:
    """An i32 vector added along the channels, or the columns of a matrix."""

    feature = "bias"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32", (2, 4))
        return None if source is None else {"args": [source.name], "numbers": parameter(random, features, -9999, 9999)}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        rank = len(source.shape)
        if rank not in (2, 4):
            raise UnfitError("a bias of another rank")
        bias, numbers = network.parameter(f"{node['name']}_b", (source.shape[1],), "i32", node["numbers"])
        spread = numbers.reshape((1, -1) + (1,) * (rank - 2)).astype(np.int64)
        result = Value(node["name"], source.shape, "i32")
        lines = generic(
            result,
            [(source, letters(rank)), (bias, "d1")],
            letters(rank),
            letters(rank),
            ["%y = arith.addi %a0, %a1 : i32"],
        )
        network.define(result, lines, wrapped(network.results[source.name].astype(np.int64) + spread))


class Requantise:
    """i32 to i8: shift with one of three roundings, clamp, truncate; or truncate alone."""

    feature = "requantise"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32")
        if source is None:
            return None
        roundings = ["down", *(["up"] if "half_up" in features else []), *(["even"] if "half_even" in features else [])]
        low, high = random.choice([(-128, 127), (0, 127), (-100, 90), (-128, 127)])
        return {
            "args": [source.name],
            "shift": random.choice([0, 1, 4, 6, 7, 8, 10, 12]),
            "rounding": random.choice(roundings),
            "low": low,
            "high": high,
            "clamped": "wrapping" not in features or random.random() < 0.8,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        result = Value(node["name"], source.shape, "i8")
        array = network.results[source.name]
        rounded, body = (_half_even if node["rounding"] == "even" else _shifted)(array, node)
        dims = letters(len(source.shape))
        lines = generic(result, [(source, dims)], dims, dims, body)
        network.define(result, lines, rounded)


def _shifted(array: Array, node: Node) -> tuple[NDArray[np.int8], list[str]]:
    shift, low, high = node["shift"], node["low"], node["high"]
    body: list[str] = []
    value, numbers = "%a0", array.astype(np.int32)
    if node["rounding"] == "up" and shift:
        body += [f"%h = arith.constant {1 << (shift - 1)} : i32", f"%r = arith.addi {value}, %h : i32"]
        value, numbers = "%r", wrapped(numbers.astype(np.int64) + (1 << (shift - 1)))
    body += [f"%n = arith.constant {shift} : i32", f"%s = arith.shrsi {value}, %n : i32"]
    value, numbers = "%s", numbers >> shift
    if node["clamped"]:
        body += [
            f"%lo = arith.constant {low} : i32",
            f"%hi = arith.constant {high} : i32",
            "%mx = arith.maxsi %s, %lo : i32",
            "%mn = arith.minsi %mx, %hi : i32",
        ]
        value, numbers = "%mn", np.clip(numbers, low, high)
    body.append(f"%y = arith.trunci {value} : i32 to i8")
    return numbers.astype(np.int8), body


def _half_even(array: Array, node: Node) -> tuple[NDArray[np.int8], list[str]]:
    """As ONNX runtimes print it: float, divided, rounded half to even, clamped, back."""
    scale, low, high = float(1 << node["shift"]), node["low"], node["high"]
    body = [
        "%f = arith.sitofp %a0 : i32 to f32",
        f"%d = arith.constant {scale:.1f} : f32",
        "%q = arith.divf %f, %d : f32",
        "%r = math.roundeven %q : f32",
        f"%lo = arith.constant {low:.1f} : f32",
        f"%hi = arith.constant {high:.1f} : f32",
        "%mx = arith.maximumf %r, %lo : f32",
        "%mn = arith.minimumf %mx, %hi : f32",
        "%y = arith.fptosi %mn : f32 to i8",
    ]
    rounded = np.round(array.astype(np.float32) / np.float32(scale))
    return np.clip(rounded, low, high).astype(np.int8), body


class Residual:
    """The sum of two i8 values of one shape as i32, the first shifted left."""

    feature = "residual"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i8")
        partners = [v for v in values if first is not None and v.element == "i8" and v.shape == first.shape]
        if first is None or not partners:
            return None
        return {"args": [first.name, random.choice(partners).name], "shift": random.choice([0, 0, 1, 3])}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        first, second = args
        if first.shape != second.shape:
            raise UnfitError("a sum of different shapes")
        dims = letters(len(first.shape))
        body = [
            "%p = arith.extsi %a0 : i8 to i32",
            "%q = arith.extsi %a1 : i8 to i32",
            f"%n = arith.constant {node['shift']} : i32",
            "%t = arith.shli %p, %n : i32",
            "%y = arith.addi %t, %q : i32",
        ]
        arrays = [network.results[value.name].astype(np.int64) for value in args]
        result = Value(node["name"], first.shape, "i32")
        lines = generic(result, [(first, dims), (second, dims)], dims, dims, body)
        network.define(result, lines, wrapped((arrays[0] << node["shift"]) + arrays[1]))


_WIDE: dict[str, Any] = {
    "addi": np.add,
    "subi": np.subtract,
    "muli": np.multiply,
    "maxsi": np.maximum,
    "minsi": np.minimum,
}


class Wide:
    """Arithmetic on i32 values: with a number, or of two values of one shape."""

    feature = "wide"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i32")
        if first is None:
            return None
        partners = [v for v in values if v.element == "i32" and v.shape == first.shape and v is not first]
        if partners and random.random() < 0.5:
            op = random.choice([name for name in _WIDE if name != "muli"])
            return {"args": [first.name, random.choice(partners).name], "operator": op}
        number = random.choice([-1, 1, 2, 3, 100, -32768, 32767, 65536, -(1 << 31)])
        return {"args": [first.name], "operator": random.choice(list(_WIDE)), "number": number}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        dims = letters(len(args[0].shape))
        if args[0].shape != args[-1].shape:
            raise UnfitError("arithmetic on different shapes")
        arrays = [network.results[value.name].astype(np.int64) for value in args]
        operands = [(value, dims) for value in args]
        body = [f"%y = arith.{node['operator']} %a0, %a1 : i32"]
        if len(args) == 1:
            arrays.append(np.array(node["number"], np.int64))
            body = [f"%c = arith.constant {node['number']} : i32", f"%y = arith.{node['operator']} %a0, %c : i32"]
        result = Value(node["name"], args[0].shape, "i32")
        network.define(result, generic(result, operands, dims, dims, body), wrapped(_WIDE[node["operator"]](*arrays)))


class Relu:
    """max(x, 0) on i8."""

    feature = "relu"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8")
        return None if source is None else {"args": [source.name]}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dims = letters(len(source.shape))
        body = ["%c = arith.constant 0 : i8", "%y = arith.maxsi %a0, %c : i8"]
        result = Value(node["name"], source.shape, "i8")
        array = np.maximum(network.results[source.name], np.int8(0))
        network.define(result, generic(result, [(source, dims)], dims, dims, body), array)
