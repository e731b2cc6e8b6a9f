"""Contractions for tensor cores: default schedules and edited ones, at the wmma level and as text on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import cast

import numpy as np

import vtac
from fuzz.case import Json, Payload
from fuzz.contractions import build_kernel
from fuzz.isolation import allow_reservations
from fuzz.networks import Node
from fuzz.operations.images import draw_window
from fuzz.oracles import as_tuple, compare, judge_round_trip
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers, without_chunks
from fuzz.targets.script import NUMBER, draw_edits, edited
from vtac.compiler import lower
from vtac.errors import KernelFault, ToolMissingError
from vtac.evaluate import evaluate
from vtac.targets.cuda.schedules import default_schedule

LEVELS = ("payload", "scheduled", "blocked", "wmma")
"""The levels that can be executed."""


class CudaTarget:
    name = "cuda"
    features = (
        "odd", "transposed", "integers", "bfloat16", "convolution", "channels_last", "strides", "dilation", "pads",
        "uneven", "generic", "bias", "tail", "narrow", "edits", "many", "levels", "run",
    )  # fmt: skip

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        types = ["f16", *(["i8"] if "integers" in features else []), *(["bf16"] if "bfloat16" in features else [])]
        is_convolution = "convolution" in features and random.random() < 0.6
        node = _draw_convolution(random, features) if is_convolution else _draw_product(random, features)
        payload: Payload = {
            "type": random.choice(types),
            "node": cast(Json, node),
            "tail": cast(Json, _draw_tail(random, features, 4 if is_convolution else 2)),
            "edits": [],
            "levels": "levels" in features and random.random() < 0.3,
            "run": "run" in features and random.random() < 0.15,
        }
        if "edits" in features and random.random() < 0.6:
            try:
                script = str(default_schedule(vtac.parse(build_kernel(payload)[0])))
            except vtac.VtacError:
                return payload
            payload["edits"] = cast(Json, _draw_edits(random, script, "many" in features))
        return payload

    def judge(self, payload: Payload) -> Outcome:
        text, arrays, want = build_kernel(payload)
        module = vtac.parse(text)
        script = None
        try:
            script = f"{default_schedule(module)}\n"
            if payload["edits"]:
                script = f"{edited(script, cast('list[list[int]]', payload['edits']))}\n"
            program = vtac.compile(text, "cuda", schedule=script)
        except vtac.VtacError as error:
            if not payload["edits"] and script is not None:
                raise MismatchError("a default schedule that does not compile", str(error)) from None
            return Outcome("refused", detail=str(error))
        above, named = "numpy", ["result"]
        for level in LEVELS if payload["levels"] else LEVELS[-1:]:
            lowered = lower(text, "cuda", schedule=script, phase=level)
            compare(f"{level} against {above}", named, [want], as_tuple(evaluate(lowered, *arrays)))
            above = level
            if payload["levels"] and level == LEVELS[-1]:
                judge_round_trip(level, lowered)
        reach = {"levels"} if payload["levels"] else set[str]()
        if payload["run"]:
            allow_reservations()
            try:
                found = np.asarray(program(*arrays))
            except (ToolMissingError, KernelFault) as error:
                if isinstance(error, KernelFault) and "cannot reserve" not in str(error):  # more than a case may have
                    raise
                return Outcome("accepted", reach=tuple(sorted(reach)))
            compare("CUDA text on the CPU against wmma", named, [want], [found])
            reach.add("text on the CPU")
        return Outcome(
            "accepted", reach=(*sorted(reach), f"a {cast(Node, payload['node'])['kind']} of {payload['type']}")
        )

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for name in ("edits", "tail"):
            for kept in without_chunks(cast("list[Json]", payload[name])):
                yield {**payload, name: kept}
        node = cast(Node, payload["node"])
        for place, size in enumerate(node["sizes"]):
            for smaller in smaller_numbers(size):
                sizes = [*node["sizes"][:place], smaller, *node["sizes"][place + 1 :]]
                yield {**payload, "node": cast(Json, {**node, "sizes": sizes})}
        plain: Node = {
            "pads": [0] * 4, "strides": [1, 1], "dilations": [1, 1], "taps": [1, 1], "features": 1, "bias": False,
            "flips": [False] * 3, "form": "named",
        }  # fmt: skip
        for name, value in plain.items():
            if name in node and node[name] != value:
                yield {**payload, "node": cast(Json, {**node, name: value})}


def _draw_product(random: Random, features: frozenset[str]) -> Node:
    extents = [1, 7, 8, 13, 16, 17, 24, 33, 40] if "odd" in features else [16, 32, 48]
    flips = [random.random() < 0.4 for _ in range(3)] if "transposed" in features else [False] * 3
    return {
        "kind": "product",
        "sizes": [random.choice(extents) for _ in range(3)],
        "flips": flips,
        "form": "generic" if "generic" in features and random.random() < 0.5 else "named",
        "bias": "bias" in features and random.random() < 0.5,
    }


def _draw_convolution(random: Random, features: frozenset[str]) -> Node:
    layout = "nhwc" if "channels_last" in features and random.random() < 0.8 else "nchw"
    channels = [1, 3, 5, 8, 16, 24] if "odd" in features else [8, 16, 32]
    node: Node = {
        "kind": "convolution",
        "layout": layout,
        "sizes": [random.choice([1, 1, 2, 3]), random.choice(channels), random.randint(3, 9), random.randint(3, 9)],
        "features": random.choice(channels),
        **draw_window(random, features, ([1, 1], [3, 3], [2, 3], [1, 2])),
        "order": "fcuv" if layout == "nchw" else random.choice(["uvcf", "fuvc"]),
        "form": "generic" if "generic" in features and random.random() < 0.5 else "named",
        "bias": "bias" in features and random.random() < 0.5,
    }
    for axis in (0, 1):  # a window that reaches beyond its image is made one that does not
        if node["dilations"][axis] * (node["taps"][axis] - 1) >= node["sizes"][2 + axis]:
            node["dilations"], node["taps"] = [1, 1], [min(2, node["sizes"][2]), min(2, node["sizes"][3])]
    return node


def _draw_edits(random: Random, script: str, many: bool) -> list[list[int]]:
    """Numbers to replace: mostly those of splits, doubled or halved, which leaves many schedules legal."""
    if random.random() < 0.3:
        return draw_edits(random, script, many)
    places = list(enumerate(NUMBER.finditer(script)))
    sizes = [(n, int(m.group())) for n, m in places if script[: m.start()].endswith(("factor ", "nparts ", "[", ", "))]
    chosen = random.sample(sizes, min(len(sizes), random.randint(1, 4) if many else 1))
    return [[place, random.choice([size * 2, max(size // 2, 1), size])] for place, size in chosen]


def _draw_tail(random: Random, features: frozenset[str], rank: int) -> list[Node]:
    steps: list[Node] = []
    for _ in range(random.randint(0, 4) if "tail" in features else 0):
        dims: list[int] | None = None
        if random.random() < 0.5:
            usual = random.choice([[1], [rank - 1], list(range(rank))])
            dims = usual if random.random() < 0.7 else sorted(random.sample(range(rank), random.randint(0, rank)))
        op = random.choice(["add", "add", "max", "min", "sub", "mul"] if dims is None else ["add", "add", "sub", "max"])
        steps.append({"op": op, "dims": dims, "number": random.choice([0, 0, 1, 6, -2])})
    return [*steps, *([{"op": "narrow"}] if "narrow" in features and random.random() < 0.7 else [])]


def matmul_text(m: int, n: int, k: int, element: str = "f16", *, transposed: bool = False) -> str:
    """A product of two matrices; the second as it is or transposed."""
    node: Node = {
        "kind": "product", "sizes": [m, n, k], "flips": [False, transposed, False], "form": "generic", "bias": False,
    }  # fmt: skip
    return build_kernel({"type": element, "node": cast(Json, node), "tail": []})[0]


TARGET = CudaTarget()
