"""Random networks through the whole compiler, against their own numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from random import Random
from typing import cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

import vtac
from fuzz.case import Json, Payload
from fuzz.configurations import configuration, draw_fields
from fuzz.networks import Array, Network, Node, Value, build, expected
from fuzz.operations import OPERATIONS
from fuzz.outcome import MismatchError, Outcome, UnfitError
from fuzz.reduction import smaller_numbers, without_chunks
from vtac.targets.vta.programs.arrays import Array as ProgramArray

_LIMIT = 300_000
"""Elements of one value at most, so that a case stays short."""


class LinalgTarget:
    name = "linalg"
    features = (
        "convolution", "product", "bias", "requantise", "residual", "wide", "pooling", "transpose", "slice",
        "concatenate", "flatten", "relu", "pads", "strides", "dilation", "groups", "zero_points", "generic",
        "constants", "half_up", "half_even", "wrapping", "configurations", "small_buffers", "capacity", "long",
        "several_results", "batch",
    )  # fmt: skip

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        fields = draw_fields(random, features)
        payload: Payload = {"config": fields, "inputs": [], "nodes": [], "returned": []}
        for number in range(random.choice([1, 1, 2])):
            shape = _image(random, features, 1 << cast(int, fields["LOG_BLOCK"]))
            cast("list[Node]", payload["inputs"]).append(_input(random, f"x{number}", shape))
        wanted = random.randint(8, 40) if "long" in features and random.random() < 0.3 else random.randint(1, 8)
        values = _values(payload)
        kinds = [name for name, op in OPERATIONS.items() if op.feature in features] or ["convolution", "requantise"]
        for number in range(3 * wanted):
            nodes = cast("list[Node]", payload["nodes"])
            if len(nodes) == wanted:
                break
            kind = random.choice(kinds)
            node = OPERATIONS[kind].draw(random, values, features)
            if node is None:
                continue
            nodes.append({"op": kind, "name": f"v{number}", **node})
            try:
                values = _values(payload)
            except UnfitError:
                nodes.pop()
                continue
            if np.prod(values[-1].shape) > _LIMIT:
                nodes.pop()
                values = _values(payload)
        if not payload["nodes"]:
            payload["nodes"] = [{"op": "relu", "name": "v0", "args": ["x0"]}]
        if "several_results" in features:
            made = [cast(str, node["name"]) for node in cast("list[Node]", payload["nodes"])]
            payload["returned"] = random.sample(made, min(len(made), random.randrange(3)))
        return payload

    def judge(self, payload: Payload) -> Outcome:
        network, results = build(payload)
        want = expected(network, results)
        text = network.text(results)
        try:
            program = vtac.compile(text, config=configuration(cast(Payload, payload["config"])))
        except vtac.VtacError as error:
            return Outcome("refused", detail=str(error))
        found = program(*cast("list[ProgramArray]", network.arrays))  # what compiles runs: a refusal here is a failure
        compare("program against numpy", results, want, found if isinstance(found, tuple) else (found,))
        devices = program.devices if isinstance(program, vtac.HostProgram) else {"": program}
        for name, device in devices.items():
            findings = vtac.check(device)
            if findings:
                raise MismatchError("checker on a compiled stream", f"{name}: {findings[0].message}")
        _judge_evaluator(text, network, results, want)
        return Outcome("accepted", reach=_reach(payload, program), facts={"streams": len(devices)})

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        nodes = cast("list[Node]", payload["nodes"])
        for kept in without_chunks(nodes):
            if kept:
                yield {**payload, "nodes": cast(Json, kept)}
        if payload["returned"]:
            yield {**payload, "returned": []}
        for position, given in enumerate(cast("list[Node]", payload["inputs"])):
            for dim, extent in enumerate(given["shape"]):
                for smaller in smaller_numbers(extent):
                    shape = [*given["shape"][:dim], smaller, *given["shape"][dim + 1 :]]
                    inputs = list(cast("list[Node]", payload["inputs"]))
                    inputs[position] = {**given, "shape": shape}
                    yield {**payload, "inputs": cast(Json, inputs)}
        default = draw_fields(Random(0), frozenset())
        config = cast(Payload, payload["config"])
        for name in default:
            if config[name] != default[name]:
                yield {**payload, "config": {**config, name: default[name]}}
        for position, node in enumerate(nodes):
            for simpler in _simpler(node):
                changed = [*nodes[:position], simpler, *nodes[position + 1 :]]
                yield {**payload, "nodes": cast(Json, changed)}


def _simpler(node: Node) -> Iterator[Node]:
    """The node with one parameter at its plainest."""
    ones = dict.fromkeys(("stride", "dilation", "groups", "channels", "columns"), 1)
    plain: dict[str, object] = {**ones, "pads": [0] * 4, "zero": 0, "taps": [1, 1]}
    for name, value in plain.items():
        if name in node and node[name] != value:
            yield {**node, name: value}


def compare(level: str, results: Sequence[Value], want: Sequence[Array], found: Sequence[Array]) -> None:
    """Raises `MismatchError` where arrays differ in shape, type or any element."""
    if len(want) != len(found):
        raise MismatchError(level, f"{len(found)} results instead of {len(want)}")
    for value, right, got in zip(results, want, found, strict=True):
        if right.shape != got.shape or right.dtype != got.dtype:
            raise MismatchError(level, f"{value.name}: {got.shape} {got.dtype} instead of {right.shape} {right.dtype}")
        wrong = np.argwhere(right != got)
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            where = f"{value.name}: {len(wrong)} of {right.size} differ, first {list(place)}"
            raise MismatchError(level, f"{where}: {got[place]}, not {right[place]}")


def _judge_evaluator(text: str, network: Network, results: Sequence[Value], want: Sequence[Array]) -> None:
    """The input level itself, and its printed form read back."""
    from vtac.evaluate import evaluate

    module = vtac.parse(text)
    found = evaluate(module, *network.arrays)
    compare("evaluator against numpy", results, want, found if isinstance(found, tuple) else (found,))
    printed = printed_form(module)
    if printed_form(vtac.parse(printed)) != printed:
        raise MismatchError("text round trip", "printed, parsed and printed again, the module differs")


def printed_form(module: ModuleOp) -> str:
    """A module as text."""
    stream = StringIO()
    Printer(stream).print_op(module)
    return f"{stream.getvalue()}\n"


def _reach(payload: Payload, program: object) -> tuple[str, ...]:
    kinds = {f"op {node['op']}" for node in cast("list[Node]", payload["nodes"])}
    choices = cast("tuple[str, ...]", getattr(program, "choices", ()))
    return (*sorted(kinds), *(["a host operation"] if any(c.startswith("host") for c in choices) else []))


def _values(payload: Payload) -> list[Value]:
    """The values of a network so far, arguments that are parameters left out."""
    network = Network()
    inputs = cast("list[Node]", payload["inputs"])
    if payload["nodes"]:
        network, _ = build(payload)
    else:
        for given in inputs:
            network.input(given)
    names = [*(g["name"] for g in inputs), *(node["name"] for node in cast("list[Node]", payload["nodes"]))]
    return [network.values[name] for name in names]


def _input(random: Random, name: str, shape: list[int]) -> Node:
    low, high = random.choice([(-128, 128), (-128, 128), (-8, 8), (127, 128), (-128, -127)])
    return {"name": name, "shape": shape, "element": "i8", "seed": random.randrange(1 << 30), "low": low, "high": high}


def _image(random: Random, features: frozenset[str], block: int) -> list[int]:
    """An image, or rows of a matrix; channels around multiples of a block, sizes around what a buffer holds."""
    if "product" in features and random.random() < 0.3:
        return [random.choice([1, 2, 4, 5, 17]), random.choice([1, 7, block, block + 1, 4 * block, 100])]
    channels = random.choice([1, 3, block - 1, block, block, block + 1, 2 * block, 3 * block])
    batch = random.choice([1, 2, 3, 4]) if "batch" in features else 1
    if "capacity" in features and random.random() < 0.4:
        channels = random.choice([block, 2 * block])
        side = random.choice([31, 32, 33, 44, 45, 46])
        return [1, channels, side, side + random.choice([-1, 0, 1])]
    return [batch, max(channels, 1), random.randint(1, 14), random.randint(1, 14)]


TARGET = LinalgTarget()
