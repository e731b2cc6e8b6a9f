"""Random networks through the whole compiler, against their own numpy and level by level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from random import Random
from typing import cast

import vtac
from fuzz.case import Json, Payload
from fuzz.configurations import configuration, draw_fields
from fuzz.machines import draw_machine
from fuzz.networks import Network, Node, build, expected
from fuzz.operations import OPERATIONS
from fuzz.oracles import LEVELS, as_tuple, compare, judge_input, judge_levels, judge_streams, printed_form
from fuzz.outcome import Outcome, UnfitError
from fuzz.reduction import smaller_numbers, without_chunks
from vtac.targets.vta.programs.arrays import Array as ProgramArray
from vtac.targets.vta.programs.vta_program import VtaProgram

__all__ = ["TARGET", "printed_form"]
_TILES = 200
"""Of one value at most, so that a case stays short; those at a loop's limit have more."""
_DETAIL = re.compile(r"\(d\d.*?\)$|'[^']*'|-?\d+")
"""What differs between reasons of one class."""
_WEIGHTS = {
    "convolution": 4,
    "product": 4,
    "batch_product": 2,
    "depthwise": 2,
    "requantise": 3,
    "residual": 2,
    "branches": 2,
    "projection": 2,
}
"""How often operations are drawn, against once."""
_SHARE_WITH_LEVELS, _NODES_WITH_LEVELS = 0.12, 6


class LinalgTarget:
    name = "linalg"
    features = (
        *dict.fromkeys(operation.feature for operation in OPERATIONS.values()),
        "pads", "strides", "dilation", "uneven", "groups", "stretch", "zero_points", "generic", "constants", "starts",
        "i64", "transposed", "two_values", "channels_last", "half_up", "half_even", "tosa", "per_channel", "scales",
        "chains", "selects", "unsigned", "wrapping", "factors", "activations", "anywhere", "configurations",
        "small_buffers", "capacity", "limits", "long", "several_results", "batch",
    )  # fmt: skip

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        fields, shape, first = draw_machine(random, features)
        inputs = [_input(random, "x0", shape)]
        if random.random() < 0.3:
            inputs.append(_input(random, "x1", shape if random.random() < 0.7 else draw_machine(random, features)[1]))
        if "arguments" in features or random.random() < 0.1:
            inputs[-1] = {**inputs[-1], "element": "i32", "low": -(1 << 20), "high": 1 << 20}
            first = None
        tile = 1 << (cast(int, fields["LOG_BATCH"]) + cast(int, fields["LOG_BLOCK"]))
        nodes = _nodes(random, features, inputs, [] if first is None else [first], max(_TILES * tile, 1000))
        payload: Payload = {"config": fields, "inputs": cast(Json, inputs), "nodes": cast(Json, nodes), "returned": []}
        if "several_results" in features:
            names = [cast(str, node["name"]) for node in nodes]
            payload["returned"] = cast(Json, random.sample(names, min(len(names), random.randrange(3))))
        is_short = len(nodes) <= _NODES_WITH_LEVELS and prod(shape) <= _TILES * tile
        payload["levels"] = random.choice(LEVELS) if is_short and random.random() < _SHARE_WITH_LEVELS else ""
        return payload

    def judge(self, payload: Payload) -> Outcome:
        network, results = build(payload)
        want, text = expected(network, results), network.text(results)
        config = configuration(cast(Payload, payload["config"]))
        module = judge_input(text, results, network.arrays, want)
        try:
            program = vtac.compile(text, config=config)
        except vtac.VtacError as error:
            return Outcome("refused", detail=str(error))
        found = as_tuple(program(*cast("list[ProgramArray]", network.arrays)))  # what compiles runs
        names = [value.name for value in results]
        try:
            compare("program against numpy", names, want, found)
            judge_streams(program.devices)
        finally:
            if payload.get("levels"):  # they name the first level that differs
                judge_levels(module, config, network.arrays, want, cast(str, payload["levels"]))
        return Outcome("accepted", reach=_reach(payload, program), facts={"streams": len(program.devices)})

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        nodes = cast("list[Node]", payload["nodes"])
        for kept in without_chunks(nodes):
            if kept:
                yield {**payload, "nodes": cast(Json, kept)}
        for position, node in enumerate(nodes):
            yield {**payload, "nodes": cast(Json, _bypassed(nodes, position, node))}
        if payload["returned"]:
            yield {**payload, "returned": []}
        yield from _smaller_inputs(payload)
        default = draw_fields(Random(0), frozenset())
        config = cast(Payload, payload["config"])
        for name in default:
            if config[name] != default[name]:
                yield {**payload, "config": {**config, name: default[name]}}
        for position, node in enumerate(nodes):
            for simpler in _simpler(node):
                yield {**payload, "nodes": cast(Json, [*nodes[:position], simpler, *nodes[position + 1 :]])}


def _nodes(random: Random, features: frozenset[str], inputs: list[Node], nodes: list[Node], limit: int) -> list[Node]:
    """Up to 40 operations on the inputs, after those given, on values of `limit` elements."""
    network = Network()
    values = [*map(network.input, inputs), *map(network.append, nodes)]
    at_limit = any(prod(given["shape"]) > limit for given in inputs)
    wanted = len(nodes) + (
        random.randint(8, 40) if "long" in features and random.random() < 0.06 else random.randint(1, 4)
    )
    kinds = [name for name, op in OPERATIONS.items() if op.feature in features for _ in range(_WEIGHTS.get(name, 1))]
    kinds += ["requantise"] if kinds and random.random() < 0.7 else ["convolution", "requantise"]
    kinds = ["activation", "residual"] if at_limit else kinds
    for number in range(4 * wanted):
        if len(nodes) == (2 if at_limit else wanted):
            break
        drawn = OPERATIONS[kind := random.choice(kinds)].draw(random, values, features)
        if drawn is None:
            continue
        trial, node = network.copy(), {"op": kind, "name": f"v{number}", **drawn}
        try:
            value = trial.append(node)
        except UnfitError:
            continue
        if at_limit or prod(value.shape) <= limit:
            network = trial
            nodes.append(node)
            values.append(value)
    return nodes or [{"op": "transpose", "name": "v", "args": ["x0"], "order": list(range(len(inputs[0]["shape"])))}]


def _bypassed(nodes: list[Node], position: int, node: Node) -> list[Node]:
    """The nodes without one, whose first argument takes its place."""
    name, instead = node["name"], node["args"][0]
    later = [{**n, "args": [instead if arg == name else arg for arg in n["args"]]} for n in nodes[position + 1 :]]
    return [*nodes[:position], *later]


def _smaller_inputs(payload: Payload) -> Iterator[Payload]:
    inputs = cast("list[Node]", payload["inputs"])
    for position, given in enumerate(inputs):
        for dim, extent in enumerate(given["shape"]):
            for smaller in smaller_numbers(extent):
                shape = [*given["shape"][:dim], smaller, *given["shape"][dim + 1 :]]
                yield {**payload, "inputs": [*inputs[:position], {**given, "shape": shape}, *inputs[position + 1 :]]}


def _simpler(node: Node) -> Iterator[Node]:
    """The node with one parameter at its plainest."""
    ones = dict.fromkeys(("stretch", "groups", "channels", "columns", "inner", "extent"), 1)
    off = dict.fromkeys(("unsigned", "selected", "chained", "doubled", "ones", "kept", "wide"), False)
    plain: dict[str, object] = {
        **ones, **off, "pads": [0] * 4, "zeros": [0, 0], "zero": 0, "taps": [1, 1], "strides": [1, 1],
        "dilations": [1, 1], "axis": None, "shifts": [0, 0], "factors": [1, 1], "operator": "addi",
        "range": [-128, 127], "multiplier": 1 << 30, "rounding": "down",
        "start": {"kind": "number", "number": 0, "wide": False}, "reader": None,
    }  # fmt: skip
    for name, value in plain.items():
        if name in node and node[name] != value:
            yield {**node, name: value}


def _reach(payload: Payload, program: VtaProgram) -> tuple[str, ...]:
    kinds = {f"op {node['op']}" for node in cast("list[Node]", payload["nodes"])}
    reasons = [choice.partition(": ")[2] for choice in program.choices if choice.startswith("host")]
    simply = any("one tile after the other" in choice for choice in program.choices)
    found = sorted({f"host: {_DETAIL.sub('#', reason)[:90]}" for reason in reasons})
    found += ["a simple schedule"] if simply else []
    found += ["no stream"] if not program.devices else []
    return (*sorted(kinds), *found, *(["levels"] if payload.get("levels") else []))


def _input(random: Random, name: str, shape: list[int]) -> Node:
    low, high = random.choice([(-128, 128), (-128, 128), (-8, 8), (127, 128), (-128, -127)])
    return {"name": name, "shape": shape, "element": "i8", "seed": random.randrange(1 << 30), "low": low, "high": high}


TARGET = LinalgTarget()
