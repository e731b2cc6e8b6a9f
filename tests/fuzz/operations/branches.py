"""Several convolutions of one image whose results lie in one beside each other; products whose rows are images."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from random import Random
from typing import TypeAlias, cast

from fuzz.networks import Network, Node, Value
from fuzz.operations.convolutions import Convolution
from fuzz.operations.frontends import Unflatten
from fuzz.operations.images import LAYOUTS, channels_of, draw_layout
from fuzz.operations.layout import Concatenate, Insert, Slice
from fuzz.operations.operation import pick
from fuzz.operations.products import Product
from fuzz.operations.requantisation import Requantise
from fuzz.operations.reshapes import Collapse
from fuzz.outcome import UnfitError

_WHOLE = ({"taps": [1, 1], "pads": [0] * 4}, {"taps": [3, 3], "pads": [1] * 4}, {"taps": [1, 3], "pads": [0, 1, 0, 1]})
"""Windows that leave an image as large as it is."""

_MOST_FEATURES = 1024
"""Of a row that a projection reads, so that its weights stay small."""

Appends: TypeAlias = Convolution | Product | Requantise | Concatenate | Slice | Insert | Unflatten | Collapse


class Projection:
    """A product of rows with whole blocks of columns for each place of an image, made bytes, then images.

    The rows may be images that are flattened; a convolution may read what comes out.
    """

    feature = "branches"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        plain = features - {"two_values", "transposed", "stretch"}
        source = pick(random, values, "i8", (2, 4))
        if source is None or prod(source.shape[1:]) > _MOST_FEATURES:
            return None
        rows = Value(source.name, (source.shape[0], prod(source.shape[1:])), "i8")
        size, channels = random.choice([[1, 1], [2, 2], [1, 3], [4, 4]]), random.choice([4, 16, 16, 32])
        product = cast(Node, Product().draw(random, [rows], plain))
        product |= {"columns": channels * size[0] * size[1], "form": "named"}
        sums = Value("sums", (1, 1), "i32")
        requantised = cast(Node, Requantise().draw(random, [sums], features - {"per_channel", "scales"}))
        images = Value("images", (source.shape[0], channels, size[0], size[1]), "i8")
        reader = cast(
            Node, Convolution().draw(random, [images], features - {"channels_last", "zero_points", "stretch"})
        )
        return {
            "args": [source.name],
            "product": product,
            "requantised": requantised,
            "size": size,
            "reader": reader | {"taps": [1, 1]} if random.random() < 0.7 else None,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        name, reader, (source,) = node["name"], node["reader"], args
        if len(source.shape) > 2:
            flat: Node = {"start": 1, "length": len(source.shape) - 1}
            source = _appended(network, Collapse(), flat, f"{name}_f", [source])
        sums = _appended(network, Product(), node["product"], f"{name}_s", [source])
        rows = _appended(network, Requantise(), node["requantised"], f"{name}_r", [sums])
        images = _appended(network, Unflatten(), {"size": node["size"]}, f"{name}_images" if reader else name, [rows])
        if reader:
            _appended(network, Convolution(), reader, name, [images])


class Branches:
    """Two or three convolutions with whole blocks of channels, each made bytes again, and concatenated.

    A slice of the whole or an insertion into a larger image may follow.
    """

    feature = "branches"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        layout = draw_layout(random, features)
        channels = channels_of(source, layout)
        parts = [self._part(random, source, layout, features) for _ in range(random.choice([1, 2, 2, 3]))]
        after = random.choice(["", "", "", "slice", "insert"])
        return {
            "args": [source.name],
            "layout": layout,
            "parts": parts,
            "dense": len(parts) == 1 or random.random() < 0.3,
            "after": after,
            "start": random.choice([0, 0, 16, 8]) if channels else 0,
        }

    def _part(self, random: Random, source: Value, layout: str, features: frozenset[str]) -> Node:
        plain = features - {"stretch", "zero_points", "groups"}
        convolution = cast(Node, Convolution().draw(random, [source], plain))
        convolution |= {"layout": layout, "order": "fcuv" if layout == "nchw" else "uvcf", "form": "named"}
        convolution |= {**random.choice(_WHOLE), "strides": [1, 1], "dilations": [1, 1]}
        convolution["channels"] = random.choice([4, 8, 16, 16, 16, 32])
        sums = Value("sums", source.shape, "i32")
        requantised = cast(Node, Requantise().draw(random, [sums], features - {"per_channel", "scales"}))
        return {"convolution": convolution, "requantised": requantised}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if len(source.shape) != 4:
            raise UnfitError("branches of what is no image")
        name, channel = node["name"], LAYOUTS[node["layout"]][1]
        found = [source] if node["dense"] else []
        for number, part in enumerate(cast("list[Node]", node["parts"])):
            sums = _appended(network, Convolution(), part["convolution"], f"{name}_s{number}", [source])
            found.append(_appended(network, Requantise(), part["requantised"], f"{name}_b{number}", [sums]))
        whole = found[0]
        for number, value in enumerate(found[1:]):
            last = number == len(found) - 2 and not node["after"]
            joined: Node = {"dim": channel, "form": "concat"}
            whole = _appended(network, Concatenate(), joined, name if last else f"{name}_c{number}", [whole, value])
        if node["after"] == "slice":
            offsets = [min(node["start"], whole.shape[channel] - 1) if dim == channel else 0 for dim in range(4)]
            _appended(network, Slice(), {"offsets": offsets, "steps": [1] * 4}, name, [whole])
        elif node["after"] == "insert":
            around = [node["start"] if dim == channel else 1 if dim else 0 for dim in range(4)]
            placed: Node = {"offsets": around, "steps": [1] * 4, "more": around, "number": 0}
            _appended(network, Insert(), placed, name, [whole])
        elif len(found) == 1:
            raise UnfitError("one branch alone")


def _appended(network: Network, kind: Appends, node: Node, name: str, args: Sequence[Value]) -> Value:
    """What an operation defines within another."""
    kind.append(network, {**node, "name": name}, args)
    return network.values[name]
