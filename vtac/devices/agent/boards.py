"""Boards by name, and a board as an accelerator: a driver, memory, and bitstreams."""

from __future__ import annotations

import argparse
from typing import Callable, Sequence

from vtac.devices.agent.backend import Backend, Counters, Launch
from vtac.devices.agent.bitstreams import (
    Bitstream,
    Bitstreams,
    Folder,
    Loader,
    NoBitstreams,
    load_by_manager,
    load_by_pynq,
)
from vtac.devices.agent.drivers import SPARE_BYTES, ChiselDriver, Driver, HlsDriver, Spare
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.handoff import BLOCKS, WINDOW_BYTES
from vtac.devices.agent.locks import Lock
from vtac.devices.agent.memory import PartRegion, open_memory
from vtac.devices.agent.region import Region
from vtac.devices.agent.registers import MappedRegisters, Registers

RegistersAt = Callable[[int, int], Registers]
"""The registers at a physical address, of some bytes."""


class BoardRecord:
    """What is known of a board: where its registers are, and how the FPGA sees memory.

    `address_offset` is what the FPGA's side of the bridge adds to a physical address.
    """

    def __init__(
        self, name: str, design: str, registers: int, memory: str, loader: Loader, address_offset: int = 0
    ) -> None:
        self.name = name
        self.design = design
        self.registers = registers
        self.memory = memory
        self.loader = loader
        self.address_offset = address_offset

    @property
    def bases(self) -> tuple[int, ...]:
        """The windows of registers: one of the Chisel design, one for each block of the HLS design."""
        count = len(BLOCKS) if self.design == "hls" else 1
        return tuple(self.registers + number * WINDOW_BYTES for number in range(count))


_RECORDS = (
    BoardRecord("pynq", "hls", 0x43C00000, "pynq:67108864", load_by_pynq),
    BoardRecord("ultra96", "hls", 0xA0000000, "pynq:268435456", load_by_pynq),
    BoardRecord("zcu104", "hls", 0xA0000000, "pynq:268435456", load_by_pynq),
    BoardRecord("de10nano", "chisel", 0xFF220000, "u-dma-buf:udmabuf0", load_by_manager, 0x80000000),
)
BOARDS: dict[str, BoardRecord] = {record.name: record for record in _RECORDS}


class Board:
    """A board as an accelerator. What is loaded is what the agent loaded, or was told of."""

    exact_time = False

    def __init__(
        self,
        record: BoardRecord,
        registers_at: RegistersAt,
        region: Region,
        bitstreams: Bitstreams,
        lock: Lock | None = None,
    ) -> None:
        self._record = record
        self.kind = record.name
        self.design = record.design
        self.fields: dict[str, object] = {}
        self.clock_hz = 0
        self._whole = region
        self._lock = lock
        self._bitstreams = bitstreams
        self._loaded: Bitstream | None = None
        self._registers_at, self._spare = registers_at, Spare(region)
        self._bases = record.bases
        self._driver = self._driver_at(self._bases)
        self.counter_names = self._driver.counter_names
        self.region: Region = PartRegion(region, region.view.nbytes - SPARE_BYTES)

    def launch(self, launch: Launch) -> Counters:
        counted = self._driver.launch(launch)
        return lambda: counted

    def reset(self) -> None:
        """Load the bitstream again: neither design has a register that resets it.

        Raises `Refusal` where it is not known which one is loaded.
        """
        if self._loaded is None:
            raise Refusal(
                "reset",
                "only a bitstream resets this design, and the agent does not know which one is loaded",
                "vtac devices program URL BITSTREAM loads one",
            )
        self._bitstreams.load(self._loaded)

    def bitstreams(self) -> list[dict[str, object]]:
        return [bitstream.shown() for bitstream in self._bitstreams.known()]

    def program(self, sha256: str) -> None:
        found = [bitstream for bitstream in self._bitstreams.known() if bitstream.sha256 == sha256]
        if not found:
            raise Refusal(
                "bitstream",
                f"the agent has no bitstream with the SHA-256 {sha256[:16]}...",
                "copy the file and its side file into the agent's folder; it takes none from clients",
            )
        self.assume(found[0])
        self._loaded, self.fields = None, {}
        self._bitstreams.load(found[0])
        self.assume(found[0])

    def assume(self, bitstream: Bitstream) -> None:
        """Take a bitstream for the one that is loaded. Raises `Refusal` for one of another design."""
        if bitstream.design != self.design:
            raise Refusal(
                "bitstream", f"{bitstream.name} is of the {bitstream.design} design; {self.kind} has {self.design}"
            )
        bases = bitstream.windows or self._record.bases
        if bases != self._bases:
            self._driver, self._bases = self._driver_at(bases), bases
        self._loaded, self.fields, self.clock_hz = bitstream, bitstream.fields, bitstream.clock_hz

    def close(self) -> None:
        self._whole.close()
        if self._lock is not None:
            self._lock.close()

    def _driver_at(self, bases: Sequence[int]) -> Driver:
        windows = [self._registers_at(base, WINDOW_BYTES) for base in bases]
        if self.design == "chisel":
            return ChiselDriver(windows[0])
        fetch, load, compute, store = windows
        return HlsDriver(fetch, load, compute, store, spare=self._spare)


def open_board(name: str | None, options: argparse.Namespace | None) -> Backend:
    """The accelerator of this machine that `board:NAME` names, for one process alone. Raises `Refusal`."""
    record = BOARDS.get((name or "").partition(":")[2])
    if record is None or not (name or "").startswith("board:"):
        raise Refusal("url", f"there is no board '{name}'", f"name board: and {', '.join(BOARDS)}")
    lock = Lock(record.name)
    try:
        return _opened(record, options, lock)
    except BaseException:
        lock.close()
        raise


def _opened(record: BoardRecord, options: argparse.Namespace | None, lock: Lock) -> Board:
    folder: str | None = getattr(options, "bitstreams", None)
    bitstreams: Bitstreams = NoBitstreams() if folder is None else Folder(folder, record.loader)
    load: str | None = getattr(options, "load", None)
    loaded: str | None = load or getattr(options, "loaded", None)
    bitstream = find_bitstream(bitstreams, loaded) if loaded is not None else None
    if bitstream is not None and load is not None:
        bitstreams.load(bitstream)
    region = open_memory(getattr(options, "memory", None) or record.memory, record.address_offset)
    board = Board(record, MappedRegisters, region, bitstreams, lock)
    if bitstream is not None:
        board.assume(bitstream)
    return board


def find_bitstream(bitstreams: Bitstreams, name: str) -> Bitstream:
    """The bitstream of a name. Raises `Refusal`."""
    for bitstream in bitstreams.known():
        if bitstream.name == name:
            return bitstream
    raise Refusal("bitstream", f"the agent's folder has no bitstream '{name}'", "name one with its side file there")
