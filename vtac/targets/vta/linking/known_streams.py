"""Streams that were ordered by tokens, and proven safe, before: kept on disk by all that either depends on.

A network whose numbers have changed, and nothing else, issues the same instructions. Tokens follow from them, the
micro-ops and the hardware; what the checker finds follows from the words of the stream, the micro-ops in memory and
where the buffers lie. Only the proof that there is nothing to find is kept.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.files.sealed import SealedTexts
from vtac.files.user_cache import stream_entries
from vtac.targets.vta.compiler_identity import compiler_identity
from vtac.targets.vta.isa import MICRO_OP_BYTES, AluOpcode, Memory, Opcode
from vtac.targets.vta.machine.static_checks import dram_ends
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.stream.dataflow import Placed, plan_tokens
from vtac.targets.vta.stream.footprints import Issued

_MOST_BYTES = 1 << 24
_PROVEN = "proven"
_UNITS = range(4)


@dataclass
class KnownStreams:
    """The token plans and proofs in a folder of caches."""

    folder: Path

    def __post_init__(self) -> None:
        self._texts = SealedTexts(stream_entries(self.folder), _MOST_BYTES)

    def plan(self, issued: Sequence[Issued], micro_ops: NDArray[np.int64], config: VTAConfig) -> list[Placed]:
        """`plan_tokens`, from the cache where it holds the plan of the same instructions."""
        name = _name("tokens", _issued_digest(issued, micro_ops, config))
        found = self._texts.find(name)
        if found is not None:
            return _read(found)
        placed = plan_tokens(issued, micro_ops, config)
        self._keep(name, _written(placed))
        return placed

    def findings(self, program: Program, *, acc_8bit: bool) -> list[Finding]:
        """`check` of a program; none without looking where the cache holds the proof of the same stream."""
        name = _name("proof", _checked_digest(program, acc_8bit)) if _is_known_by_its_words(program) else None
        if name is not None and self._texts.find(name) == _PROVEN:
            return []
        found = check(program, acc_8bit=acc_8bit)
        if name is not None and not found:
            self._keep(name, _PROVEN)
        return found

    def close(self) -> None:
        """Those used longest ago make room for what was kept."""
        self._texts.close()

    def _keep(self, name: str, text: str) -> None:
        if len(text) < _MOST_BYTES:
            self._texts.keep(name, text)


def _name(what: str, described: bytes) -> str:
    return hashlib.sha256(f"{compiler_identity()}\0{what}\0".encode() + described).hexdigest()


def _issued_digest(issued: Sequence[Issued], micro_ops: NDArray[np.int64], config: VTAConfig) -> bytes:
    """What stands for instructions: opcode, unit, number of fields and place of micro-ops of each, then all fields."""
    slices = [(item.kernel.first, item.kernel.count) if item.kernel else (-1, -1) for item in issued]
    heads = [(item.opcode, item.stage, len(item.row), *kernel) for item, kernel in zip(issued, slices, strict=True)]
    digest = hashlib.sha256(repr(config).encode())
    for numbers in (heads, [item.row for item in issued], micro_ops.tolist()):
        column = np.fromiter(chain.from_iterable(numbers), np.int64)
        digest.update(len(column).to_bytes(8, "little") + column.tobytes())
    return digest.digest()


def _checked_digest(program: Program, acc_8bit: bool) -> bytes:
    """What stands for all that the checker looks at."""
    digest = hashlib.sha256(f"{program.config!r}\0{program.buffers!r}\0{acc_8bit}\0".encode())
    for words in (program.instructions, program.micro_ops):
        digest.update(len(words).to_bytes(8, "little") + words)
    return digest.digest()


def _is_known_by_its_words(program: Program) -> bool:
    """Whether the checker sees nothing else of the memory image than the program's micro-ops.

    Amounts of a tensor's shift are numbers in memory, and a LOAD may take micro-ops from anywhere.
    """
    stream = decode_stream(program.instructions, program.config)
    loads, alus = stream.table.columns[Opcode.LOAD], stream.table.columns[Opcode.ALU]
    if ((alus["alu_opcode"] == AluOpcode.SHR) & (alus["use_imm"] == 0)).any():
        return False
    is_loaded = (loads["memory"] == Memory.UOP) & (loads["x_size"] > 0)
    (first,) = [buffer.address for buffer in program.buffers if buffer.role == "uop"]
    starts, ends = loads["dram_base"] * MICRO_OP_BYTES, dram_ends(stream, Opcode.LOAD)
    inside = (starts >= first) & (ends <= first + len(program.micro_ops))
    return bool(inside[is_loaded].all())


def _written(placed: Sequence[Placed]) -> str:
    """A plan as text: for each instruction its number or -1, its unit, and bits of the units it pops and pushes."""
    rows = [(-1 if one.source is None else one.source, one.stage, _bits(one.pops), _bits(one.pushes)) for one in placed]
    return b64encode(zlib.compress(np.array(rows, "<i4").tobytes(), 1)).decode()


def _bits(units: Sequence[int]) -> int:
    return sum(1 << unit for unit in units)


def _read(text: str) -> list[Placed]:
    rows: list[list[int]] = np.frombuffer(zlib.decompress(b64decode(text)), "<i4").reshape(-1, 4).tolist()
    units = [tuple(unit for unit in _UNITS if bits >> unit & 1) for bits in range(1 << len(_UNITS))]
    return [
        Placed(None if source < 0 else source, stage, units[pops], units[pushes])
        for source, stage, pops, pushes in rows
    ]
