"""A board whose registers are a model's: everything else of it is what runs on the board."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

import numpy as np

from vtac.devices.agent.bitstreams import Bitstream
from vtac.devices.agent.boards import BOARDS, Board
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.registers import Registers
from vtac.devices.models.chisel import ChiselModel
from vtac.devices.models.core import Core, PhysicalMemory
from vtac.devices.models.hls import NAMES, HlsModel, HlsWindow, as_hls_executes
from vtac.dialects.hardware import VTAConfig

MODEL_BYTES = 1 << 26
PHYSICAL_BASE = 0x13B00000
"""Where the model's memory lies: bits that an OR with an offset would lose."""
CLOCK_HZ = 100_000_000


@dataclass
class ModelBitstreams:
    """The one bitstream that a model is of; loading it resets the model."""

    model: HlsModel | ChiselModel
    design: str
    config: VTAConfig
    loads: int = field(default=0, init=False)

    def known(self) -> list[Bitstream]:
        fields = dict(self.config.to_fields())
        sha256 = hashlib.sha256(json.dumps([self.design, fields]).encode()).hexdigest()
        return [Bitstream("model.bit", sha256, self.design, CLOCK_HZ, {**fields})]

    def load(self, bitstream: Bitstream) -> None:
        del bitstream
        self.loads += 1
        self.model.reset()


def model_board(name: str, config: VTAConfig | None = None) -> tuple[Board, HlsModel | ChiselModel]:
    """A board by its name, loaded with a configuration, and the model behind its registers. Raises `Refusal`."""
    record = BOARDS.get(name)
    if record is None:
        raise Refusal("url", f"there is no model of '{name}'", f"name one of {', '.join(BOARDS)}")
    memory = PhysicalMemory(PHYSICAL_BASE + record.address_offset, MODEL_BYTES)
    configuration = config or VTAConfig()
    model: HlsModel | ChiselModel
    if record.design == "hls":
        model = HlsModel(Core(configuration, memory, np.add, as_hls_executes))
    else:
        model = ChiselModel(Core(configuration, memory, np.bitwise_or))

    def window(base: int, nbytes: int) -> Registers:
        del nbytes
        if isinstance(model, ChiselModel):
            return model
        return HlsWindow(model, NAMES[record.bases.index(base)])

    bitstreams = ModelBitstreams(model, record.design, replace(configuration, target=name))
    board = Board(record, window, memory, bitstreams)
    board.assume(bitstreams.known()[0])
    board.kind = f"model of {name}"
    return board, model
