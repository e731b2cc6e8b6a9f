"""From i32 to i8 in every way that frontends print: three roundings and TOSA's, per tensor and per channel."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import pick
from fuzz.operations.steps import (
    Step,
    apply_steps,
    cast_to,
    clamp,
    floating,
    floating_operand,
    integer,
    round_even,
    with_operand,
)
from fuzz.outcome import UnfitError


class Requantise:
    """Scale by a power of two (sometimes by another number), round, add a zero point, clamp, truncate."""

    feature = "requantise"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32")
        if source is None:
            return None
        roundings = ["down", *(name for name in ("half_up", "half_even", "tosa") if name in features)]
        by_channel = "per_channel" in features and random.random() < 0.5
        return {
            "args": [source.name],
            "shift": random.choice([0, 1, 4, 6, 7, 8, 8, 10, 12, 15, 16, 20]),
            "rounding": random.choice(roundings),
            "range": random.choice([[-128, 127], [0, 127], [-100, 90], [-128, 127], [-128, -1]]),
            "zero": random.choice([0, -128, 5]) if "zero_points" in features and random.random() < 0.5 else 0,
            "clamped": "wrapping" not in features or random.random() < 0.8,
            "axis": random.choice([1, len(source.shape) - 1]) if by_channel and len(source.shape) > 1 else None,
            "seed": random.randrange(1 << 30),
            "multiplier": 1 << 30
            if "scales" not in features or random.random() < 0.7
            else random.randrange(1, 1 << 31),
            "doubled": random.random() < 0.5,
            "chained": "chains" in features and random.random() < 0.6,
            "selected": "selects" in features and random.random() < 0.5,
            "unsigned": "unsigned" in features and random.random() < 0.5,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if node["axis"] is not None and node["axis"] >= len(source.shape):
            raise UnfitError("shifts along a dimension that is gone")
        make = {"down": _shifted, "half_up": _shifted, "half_even": _rounded_even, "tosa": _rescaled}
        steps = make[node["rounding"]](network, node, source)
        apply_steps(network, node["name"], source, steps, chained=node["chained"])


def _limits(node: Node) -> tuple[int, int]:
    low, high = node["range"]
    return (low + 128, high + 128) if node["unsigned"] else (low, high)


def _tail(node: Node) -> list[Step]:
    """What follows the rounding: zero point, clamp, truncation."""
    steps = [integer("addi", node["zero"])] if node["zero"] else []
    if node["clamped"]:
        steps += clamp(*_limits(node), selected=node["selected"])
    return [*steps, cast_to("trunci", "i32", "i8")]


def _spread(network: Network, node: Node, source: Value, element: str, numbers: NDArray[Any]) -> tuple[Value, str]:
    """A constant vector along the node's axis, and its map."""
    value = Value(f"{node['name']}_{element}{len(network.lines)}", (source.shape[cast(int, node["axis"])],), element)
    return network.constant(value, numbers), f"d{node['axis']}"


def _by_axis(source: Value, axis: int, numbers: NDArray[Any]) -> NDArray[Any]:
    return numbers.reshape([-1 if dim == axis else 1 for dim in range(len(source.shape))])


def _shifts(node: Node, source: Value) -> NDArray[np.int32]:
    """A shift per channel, near the node's own."""
    near = np.random.default_rng(node["seed"]).integers(-2, 3, source.shape[cast(int, node["axis"])])
    return np.clip(node["shift"] + near, 0, 30).astype(np.int32)


def _shifted(network: Network, node: Node, source: Value) -> list[Step]:
    """Rounded down, or half up by adding half of the divisor first."""
    up, shift, axis = node["rounding"] == "half_up", node["shift"], node["axis"]
    if axis is None:
        halves = [integer("addi", 1 << (shift - 1))] if up and shift else []
        return [*halves, integer("shrsi", shift), *_tail(node)]
    shifts = _shifts(node, source)
    halves = []
    if up:
        half = ((1 << shifts.astype(np.int64)) >> 1).astype(np.int32)
        halves = [with_operand("addi", _spread(network, node, source, "i32", half), _by_axis(source, axis, half))]
    operand = _spread(network, node, source, "i32", shifts)
    return [*halves, with_operand("shrsi", operand, _by_axis(source, axis, shifts)), *_tail(node)]


def _rounded_even(network: Network, node: Node, source: Value) -> list[Step]:
    """As ONNX runtimes print it: to f32, scaled, rounded half to even, zero point, clamped, back."""
    steps = [cast_to("sitofp", "i32", "f32")]
    if node["axis"] is not None:
        scales = np.exp2(-_shifts(node, source).astype(np.float32)).astype(np.float32)
        operand = _spread(network, node, source, "f32", scales)
        steps.append(floating_operand("mulf", operand, _by_axis(source, node["axis"], scales)))
    else:
        divisor = float(1 << node["shift"]) * (node["multiplier"] / (1 << 30))
        by_division = node["doubled"]
        if by_division and node["shift"] > 2:
            steps += [floating("mulf", 0.25), floating("divf", divisor / 4)]
        else:
            steps.append(floating("divf", divisor) if by_division else floating("mulf", 1 / divisor))
    steps.append(round_even())
    if node["zero"]:
        steps.append(floating("addf", node["zero"]))
    low, high = _limits(node)
    steps += [floating("maximumf", low), floating("minimumf", high)]
    return [*steps, cast_to("fptoui" if node["unsigned"] else "fptosi", "f32", "i8")]


def _rescaled(network: Network, node: Node, source: Value) -> list[Step]:
    """TOSA's apply_scale: a product in 64 bits, rounded half up, or twice where that is asked for."""
    multiplier = node["multiplier"]
    shift = max(node["shift"], 1) + 30
    steps = [cast_to("extsi", "i32", "i64"), integer("muli", multiplier, "i64")]
    if node["doubled"] and shift > 31:
        steps.append(_twice(1 << 30))
    steps += [integer("addi", 1 << (shift - 1), "i64"), integer("shrsi", shift, "i64"), cast_to("trunci", "i64", "i32")]
    return [*steps, *_tail({**node, "clamped": True})]


def _twice(number: int) -> Step:
    """A number added where the value is not negative, else subtracted."""
    return Step(
        "i64",
        (
            "{t}0 = arith.cmpi sge, {x}, {c}0 : i64",
            "{t}1 = arith.select {t}0, {c}1, {c}2 : i64",
            "{y} = arith.addi {x}, {t}1 : i64",
        ),
        lambda array: array + np.where(array >= 0, number, -number),
        ("0 : i64", f"{number} : i64", f"{-number} : i64"),
    )
