"""Elementwise operations on i32 and i8, with numbers, with each other, and with what broadcasts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.images import LAYOUTS, draw_layout
from fuzz.operations.operation import parameter, pick, pick_any
from fuzz.operations.steps import BINARY, Step, apply_steps, cast_to, clamp, integer, leaky, meaning_of, with_operand
from fuzz.operations.text import generic, letters
from fuzz.outcome import UnfitError

_OPERAND_OPS = ("addi", "addi", "subi", "maxsi", "minsi", "muli")


class Bias:
    """An i32 operand along some dimensions: a vector along the channels mostly, a number of rank 0, a plane."""

    feature = "bias"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32")
        if source is None:
            return None
        rank = len(source.shape)
        dims = [LAYOUTS[draw_layout(random, features)][1]] if rank == 4 else [rank - 1]
        if "broadcast" in features and random.random() < 0.5:
            dims = sorted(random.sample(range(rank), random.randint(0, rank)))
        return {
            "args": [source.name],
            "dims": dims,
            "operator": random.choice(_OPERAND_OPS) if "broadcast" in features else "addi",
            "ones": random.random() < 0.3,
            "numbers": parameter(random, features, -9999, 9999),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dims, rank = cast("list[int]", node["dims"]), len(source.shape)
        if any(dim >= rank for dim in dims):
            raise UnfitError("a bias along a dimension that is gone")
        spread = [source.shape[dim] if dim in dims else 1 for dim in range(rank)]
        shape = spread if node["ones"] else [source.shape[dim] for dim in dims]
        operand, numbers = network.parameter(f"{node['name']}_b", shape, "i32", node["numbers"])
        access = [f"d{dim}" if dim in dims else "0" for dim in range(rank)]
        text = ", ".join(access if node["ones"] else [f"d{dim}" for dim in dims])
        step = with_operand(node["operator"], (operand, text), numbers.reshape(spread))
        apply_steps(network, node["name"], source, [step], chained=False)


class Residual:
    """The sum, difference or product of two i8 values of one shape as i32, each shifted left or multiplied."""

    feature = "residual"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i8")
        partners = [v for v in values if first is not None and v.element == "i8" and v.shape == first.shape]
        if first is None or not partners:
            return None
        factors = random.choice([[0, 0], [0, 0], [1, 0], [0, 3]]), random.choice([[1, 1], [1, 1], [3, -1], [1, -128]])
        return {
            "args": [first.name, random.choice(partners).name],
            "shifts": factors[0],
            "factors": factors[1] if "factors" in features else [1, 1],
            "operator": random.choice(["addi", "addi", "subi", "muli", "maxsi"]) if "factors" in features else "addi",
            "unsigned": "unsigned" in features and random.random() < 0.5,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        if args[0].shape != args[1].shape:
            raise UnfitError("a sum of different shapes")
        dims, body, terms = letters(len(args[0].shape)), list[str](), list[NDArray[Any]]()
        for number, value in enumerate(args):
            array = network.results[value.name]
            shift, factor = node["shifts"][number], node["factors"][number]
            terms.append((array.view(np.uint8) if node["unsigned"] else array).astype(np.int64) * factor << shift)
            body += [
                f"%w{number} = arith.{'extui' if node['unsigned'] else 'extsi'} %a{number} : i8 to i32",
                f"%f{number} = arith.constant {factor} : i32",
                f"%n{number} = arith.constant {shift} : i32",
                f"%m{number} = arith.muli %w{number}, %f{number} : i32",
                f"%t{number} = arith.shli %m{number}, %n{number} : i32",
            ]
        body.append(f"%y = arith.{node['operator']} %t0, %t1 : i32")
        result = Value(node["name"], args[0].shape, "i32")
        found = wrapped(meaning_of(node["operator"], terms[0], terms[1]))
        network.define(result, generic(result, [(value, dims) for value in args], body), found)


class Wide:
    """Arithmetic on i32: with a number, also on the left, or of two values of one shape."""

    feature = "wide"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i32")
        if first is None:
            return None
        partners = [v for v in values if v.element == "i32" and v.shape == first.shape and v is not first]
        if partners and random.random() < 0.5:
            operator = random.choice([name for name in BINARY if name not in ("muli", "shrsi", "shli")])
            return {"args": [first.name, random.choice(partners).name], "operator": operator}
        operator = random.choice(BINARY)
        number = random.choice([-1, 1, 2, 3, 100, -32768, 32767, 32768, 65536, -(1 << 31), (1 << 31) - 1])
        return {
            "args": [first.name],
            "operator": operator,
            "number": random.choice([0, 1, 5, 15, 16, 31]) if operator in ("shrsi", "shli") else number,
            "reverse": operator in ("addi", "subi", "maxsi") and random.random() < 0.3,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        if args[0].shape != args[-1].shape:
            raise UnfitError("arithmetic on different shapes")
        if len(args) == 1:
            step = integer(node["operator"], node["number"], reverse=node["reverse"])
        else:
            dims = letters(len(args[0].shape))
            step = with_operand(node["operator"], (args[1], dims), network.results[args[1].name])
        apply_steps(network, node["name"], args[0], [step], chained=False)


class Activation:
    """Relu, clamp or leaky relu on i8 or i32."""

    feature = "relu"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None:
            return None
        kinds = ["relu", *(["clamp", "leaky"] if "activations" in features else [])]
        selected = "selects" in features and random.random() < 0.5
        return {
            "args": [source.name],
            "kind": random.choice(kinds),
            "shift": random.choice([1, 3, 7]),
            "selected": selected,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        element, selected = source.element, node["selected"]
        steps: list[Step] = {
            "relu": lambda: (
                clamp(0, 6 << 4, element, selected=True)[:1] if selected else [integer("maxsi", 0, element)]
            ),
            "clamp": lambda: clamp(-7, 6 << 4, element, selected=selected),
            "leaky": lambda: [leaky(node["shift"], element, selected=selected)],
        }[node["kind"]]()
        apply_steps(network, node["name"], source, steps, chained=False)


class Widen:
    """i8 as i32, signed or not, and less a zero point; i32 cut to i8."""

    feature = "casts"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None:
            return None
        unsigned = "unsigned" in features and random.random() < 0.5
        zero = random.choice([-128, 3, 128]) if "zero_points" in features else 0
        return {"args": [source.name], "unsigned": unsigned, "zero": zero}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        steps = [cast_to("trunci", "i32", "i8")]
        if source.element == "i8":
            steps = [cast_to("extui" if node["unsigned"] else "extsi", "i8", "i32")]
            steps += [integer("subi", node["zero"])] if node["zero"] else []
        apply_steps(network, node["name"], source, steps, chained=False)
