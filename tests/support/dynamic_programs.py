"""Programs whose outermost size is known when they run, made from programs of an extent that stands for it."""

from __future__ import annotations

import re

EXTENT = 777
"""The extent that becomes dynamic."""
_HEAD = re.compile(r"(func\.func @\w+\(%(?P<name>\w+): (?P<kind>tensor<[^>]*>).*\{\n)")


def dynamic(text: str, extent: int = EXTENT) -> str:
    """A program on tensors with `?` for an extent, which its first argument has outermost."""
    found = text.replace(f"tensor<{extent}x", "tensor<?x")
    found = re.sub(r"tensor\.empty\(\) : tensor<\?x", "tensor.empty(%vtac_n) : tensor<?x", found)
    head = _HEAD.search(found)
    if head is None:
        raise ValueError("the text has no function of a tensor")
    size = (
        f"  %vtac_zero = arith.constant 0 : index\n"
        f"  %vtac_n = tensor.dim %{head['name']}, %vtac_zero : {head['kind']}\n"
    )
    return found[: head.end()] + size + found[head.end() :]
