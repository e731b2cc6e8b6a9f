"""Where the blocks of the HLS design lie, from the hardware handoff that Vivado writes beside a bitstream.

`NAME.hwh` is XML; a processor's memory map in it has a `MEMRANGE` for each window: the block's `INSTANCE`, `BASEVALUE`
and `HIGHVALUE`, hexadecimal. Several masters may map one block, all at the same address.
"""

from __future__ import annotations

from typing import Tuple
from xml.etree import ElementTree

from vtac.devices.agent.faults import Refusal

BLOCKS = ("fetch_0", "load_0", "compute_0", "store_0")
"""What the design calls its blocks, in the order of their windows on the boards."""
WINDOW_BYTES = 0x1000
"""Bytes of a window of registers."""
ADDRESS_END = 1 << 40
HANDOFF_BYTES = 1 << 26

Windows = Tuple[int, int, int, int]


def windows_of(data: bytes, name: str) -> Windows:
    """The addresses of the windows of `BLOCKS`; `name` is the file's. Raises `Refusal` for what is no such file."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _refused(name, "it defines entities, which no handoff does")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _refused(name, f"it is no XML: {error}") from None
    ranges = list(root.iter("MEMRANGE"))
    if not ranges:
        raise _refused(name, "it has no MEMRANGE, so no memory map of a processor")
    fetch, load, compute, store = (_window(ranges, block, name) for block in BLOCKS)
    windows = (fetch, load, compute, store)
    _check_apart(windows, name)
    return windows


def _window(ranges: list[ElementTree.Element], block: str, name: str) -> int:
    """Where the window of a block begins."""
    found = {(one.get("BASEVALUE", ""), one.get("HIGHVALUE", "")) for one in ranges if one.get("INSTANCE") == block}
    if not found:
        others = sorted({one.get("INSTANCE", "") for one in ranges} - {""})
        raise _refused(name, f"it has no block {block}, only {', '.join(others[:8])}")
    spans = {(_number(low, block, name), _number(high, block, name)) for low, high in found}
    if len(spans) > 1:
        places = ", ".join(sorted(f"0x{low:x}" for low, _ in spans))
        raise _refused(name, f"it has {block} at several addresses, {places}")
    base, last = next(iter(spans))
    if base % WINDOW_BYTES or last - base + 1 < WINDOW_BYTES or last >= ADDRESS_END:
        raise _refused(
            name,
            f"{block} is at 0x{base:x} to 0x{last:x}; a window begins at a multiple of 0x{WINDOW_BYTES:x}"
            f" and has at least as many bytes",
        )
    return base


def _number(text: str, block: str, name: str) -> int:
    try:
        if not 1 <= len(text) <= 18:
            raise ValueError
        return int(text, 16)
    except ValueError:
        raise _refused(name, f"'{text[:24]}' is no address of {block}") from None


def _check_apart(windows: Windows, name: str) -> None:
    for block, base in zip(BLOCKS, windows):
        if windows.count(base) > 1:
            raise _refused(name, f"{block} and another block are both at 0x{base:x}")


def _refused(name: str, reason: str) -> Refusal:
    return Refusal(
        "bitstream", f"{name} is no hardware handoff of the HLS design: {reason}", "copy the one that Vivado wrote"
    )
