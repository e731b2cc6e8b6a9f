"""Contiguous memory that an accelerator reaches: from a kernel module, from pynq, or a range that is set apart."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Callable

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.region import PlainRegion, Region
from vtac.devices.agent.registers import map_physical

_DMA_NAME = re.compile(r"udmabuf[0-9]{1,3}")


def open_memory(source: str, offset: int) -> Region:
    """The memory that `u-dma-buf:NAME`, `physical:BASE:BYTES` or `pynq:BYTES` names.

    `offset` is what the accelerator adds to a physical address. Raises `Refusal`.
    """
    kind, _, rest = source.partition(":")
    makers: dict[str, Callable[[str, int], Region]] = {
        "u-dma-buf": _dma_buffer,
        "physical": _physical,
        "pynq": _pynq,
    }
    if kind not in makers:
        raise Refusal(
            "memory", f"there is no memory '{source}'", "name u-dma-buf:NAME, physical:BASE:BYTES or pynq:BYTES"
        )
    return makers[kind](rest, offset)


def _dma_buffer(name: str, offset: int) -> Region:
    """A buffer of the module u-dma-buf, mapped without a cache."""
    if _DMA_NAME.fullmatch(name) is None:
        raise Refusal("memory", f"u-dma-buf has no buffer '{name[:40]}'", "name one such as udmabuf0")
    folder = f"/sys/class/u-dma-buf/{name}"
    try:
        with open(f"{folder}/phys_addr", encoding="ascii") as file:
            base = int(file.read(), 0)
        with open(f"{folder}/size", encoding="ascii") as file:
            nbytes = int(file.read(), 0)
    except (OSError, ValueError) as error:
        raise Refusal("memory", f"cannot read {folder}: {error}", "load the kernel module u-dma-buf") from None
    return PlainRegion(base + offset, map_physical(f"/dev/{name}", 0, nbytes))


def _physical(rest: str, offset: int) -> Region:
    """A range that Linux does not use, mapped without a cache."""
    base, nbytes = _number(rest.partition(":")[0]), _number(rest.partition(":")[2])
    return PlainRegion(base + offset, map_physical("/dev/mem", base, nbytes))


def _pynq(rest: str, offset: int) -> Region:
    """A buffer of pynq, which gives memory once a bitstream is loaded."""
    nbytes = _number(rest)
    try:
        pynq: Any = import_module("pynq")
        buffer: Any = pynq.allocate((nbytes,), "u1", cacheable=False)
    except ImportError:
        raise Refusal("memory", "the package pynq is not here", "use u-dma-buf:NAME or physical:BASE:BYTES") from None
    except RuntimeError as error:
        raise Refusal("memory", f"pynq gives no memory: {error}", "load a bitstream first, or ask for less") from None
    return PlainRegion(int(buffer.device_address) + offset, memoryview(buffer).cast("B"))


def _number(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = 0
    if not 0 < value < 1 << 40:
        raise Refusal("memory", f"'{text[:40]}' is no address and no size", "write 0x20000000 or 16777216")
    return value


class PartRegion:
    """The first bytes of a region."""

    def __init__(self, whole: Region, nbytes: int) -> None:
        self.base = whole.base
        self.view = whole.view[:nbytes]
        self._whole = whole

    def to_device(self, offset: int, nbytes: int) -> None:
        self._whole.to_device(offset, nbytes)

    def from_device(self, offset: int, nbytes: int) -> None:
        self._whole.from_device(offset, nbytes)

    def close(self) -> None:
        self._whole.close()
