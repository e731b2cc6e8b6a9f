"""Inline PTX of warpgroups as calls of the runtime's models: products by descriptors, fences, commits and waits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARPGROUP_SHAPES
from vtac.errors import KernelTextError

WGMMA_INSTRUCTIONS = "wgmma.mma_async on two descriptors, wgmma.fence, .commit_group and .wait_group"
"""What has a model here, in words."""

_SUMS = {"f16": ("f32", "f16"), "bf16": ("f32",), "tf32": ("f32",), "s8": ("s32",), "u8": ("s32",)}


class Operands(Protocol):
    """The operands of an asm statement, by the names that its template gives them."""

    @property
    def line(self) -> str: ...
    @property
    def place(self) -> str: ...
    def read(self, word: str) -> str: ...
    def written(self, word: str) -> str: ...


def _fence(_: re.Match[str], of: Operands) -> str:
    return f"::vtac::fence_products({of.line});"


def _commit(_: re.Match[str], of: Operands) -> str:
    return f"::vtac::commit_products({of.line});"


def _wait(found: re.Match[str], of: Operands) -> str:
    return f"::vtac::wait_for_products({found[1]}, {of.line});"


def _set_predicate(found: re.Match[str], of: Operands) -> str:
    return f"ptx_{found[1]} = ({of.read(found[2])}) != ({of.read(found[3])});"


def _product(found: re.Match[str], of: Operands) -> str:
    n, depth, sums, left, right, registers, a, b, predicate, flags = found.groups()
    shape, numbers = f"m64n{n}k{depth}", [int(one) for one in re.findall(r"-?\d+", flags)]
    known = left == right and sums in _SUMS.get(left, ()) and shape in WARPGROUP_SHAPES
    if not known or int(depth) * ELEMENT_BYTES[left] != 32:
        raise KernelTextError(
            f"cannot run wgmma of {shape} {sums}.{left}.{right} on the CPU: PTX has no such", of.place
        )
    wanted = {2: 4, 4: 2, 1: 0}[ELEMENT_BYTES[left]]
    if len(numbers) != wanted or numbers[:2] != [1, 1][:wanted] or not set(numbers[2:]) <= {0, 1}:
        raise KernelTextError(
            f"cannot run wgmma of {left} with{flags or ' nothing'} after its predicate on the CPU: operands are taken "
            "as they are, so 1, 1, and for 16 bits whether each lies by columns",
            of.place,
        )
    words = [word.strip() for word in registers.split(",")]
    count = int(n) // (4 if sums == "f16" else 2)
    if len(words) != count:
        raise KernelTextError(f"wgmma of {shape} takes {count} registers of sums, not {len(words)}", of.place)
    places = ", ".join(f"&{of.written(word)}" for word in words)
    by_columns = ["true" if flag else "false" for flag in numbers[2:]] or ["false", "false"]
    fields = (
        f"::vtac::Element::{left}, ::vtac::Sums::{sums}, {n}, {of.read(a)}, {of.read(b)}, {by_columns[0]}, "
        f"{by_columns[1]}, ptx_{predicate}"
    )
    return f"::vtac::begin_product({{{fields}}}, {{{places}}}, {of.line});"


WGMMA_MODELS: Mapping[re.Pattern[str], Callable[[re.Match[str], Operands], str]] = MappingProxyType(
    {
        re.compile(r"wgmma\.fence\.sync\.aligned"): _fence,
        re.compile(r"wgmma\.commit_group\.sync\.aligned"): _commit,
        re.compile(r"wgmma\.wait_group\.sync\.aligned (\d+)"): _wait,
        re.compile(r"setp\.ne\.b32 (\w+), (%\d+|\d+), (%\d+|\d+)"): _set_predicate,
        re.compile(
            r"wgmma\.mma_async\.sync\.aligned\.m64n(\d+)k(\d+)\.(\w+)\.(\w+)\.(\w+) "
            r"\{([^{}]*)\}, (%\d+), (%\d+), (\w+)((?:, -?\d+)*)"
        ): _product,
    }
)
"""What each instruction of a template does, as C++."""
