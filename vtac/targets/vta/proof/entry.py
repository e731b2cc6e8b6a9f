"""`check`: prove a stream clean, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, ExecutionError, VtacError
from vtac.targets.vta.proof.accesses import Accesses
from vtac.targets.vta.proof.dram import BufferRecord, DramMap
from vtac.targets.vta.proof.fields import check_fields
from vtac.targets.vta.proof.finding import Finding, Report
from vtac.targets.vta.proof.micro_ops import Image
from vtac.targets.vta.proof.shifts import ShiftCheck, is_tensor_shift
from vtac.targets.vta.proof.sram import check_sram
from vtac.targets.vta.proof.store_log import StoreLog
from vtac.targets.vta.proof.stream import Stream, stream_of
from vtac.targets.vta.proof.tokens import check_tokens


@runtime_checkable
class CheckableStream(Protocol):
    """What the checker needs of a program of one stream."""

    @property
    def instructions(self) -> bytes: ...
    @property
    def config(self) -> VTAConfig: ...
    @property
    def buffers(self) -> Sequence[BufferRecord]: ...
    def memory_image(self) -> NDArray[np.uint8]:
        """DRAM before a run, index = physical byte address, micro-ops and constants placed."""
        ...


@runtime_checkable
class CheckableProgram(Protocol):
    """A program of any number of streams, by name."""

    @property
    def devices(self) -> Mapping[str, CheckableStream]: ...


def check(
    instructions: bytes | bytearray | memoryview | CheckableStream | CheckableProgram,
    config: VTAConfig | None = None,
    *,
    dram: NDArray[np.uint8] | None = None,
    acc_8bit: bool = False,
) -> list[Finding]:
    """Prove a stream safe in every interleaving that its tokens allow; the findings say where that fails.

    An empty list means proven: no deadlock, no token left over, at most 255 tokens in a queue, no
    on-chip or DRAM race, no read of unwritten SRAM, no field, address or buffer out of range, FINISH
    last, and none of the hardware's traps. At most 64 findings of a kind are listed.

    Given a program, its configuration, memory image and buffers are used; every DRAM row must lie in
    one buffer. A program of several streams has all of them checked; messages begin with the stream's
    name. `acc_8bit` accepts loads of ACC_8BIT, for simulators. Given raw bytes, `config` is the
    default unless stated and `dram` (uint8, index = physical byte address) is the memory that the
    micro-ops lie in and that addresses must not leave.
    Bytes without `dram` are checked as far as they go: a kernel's tiles follow from micro-ops in
    memory, so one `micro-ops-unknown` finding says that the rest is not proven, and DRAM addresses
    have no limit. Kinds of findings:

    - `length`, `opcode`, `memory`, `alu-opcode`: no instruction, or one that only simulators have.
    - `dependence`, `pad`, `sram-range`, `dram-range`, `index-range`, `uop-range`, `finish`: illegal fields.
    - `deadlock`, `fetch` (a stall of the instruction queues), `tokens` (left over), `token-limit`.
    - `race`, `dram-race`, `unwritten`, `micro-ops-unknown`: memory.
    - `zero-trip`, `zero-rows`, `alu-hazard`, `immediate-source`, `shift`, `store-source`: right in a
      simulator, wrong in hardware.

    Raises `ConfigError` when `config` contradicts the program's, `VtacError` for a `dram` that is no
    vector of bytes or is given beside a program.
    """
    if isinstance(instructions, bytes | bytearray | memoryview):
        return _check(bytes(instructions), config or VTAConfig(), _checked_image(dram), (), acc_8bit)
    streams = _streams(instructions)
    if dram is not None:
        raise VtacError("cannot check a program against another memory image: leave out dram, or pass raw bytes")
    if config is not None and any(config != stream.config for stream in streams.values()):
        raise ConfigError("cannot check a program for another configuration than its own: leave out config")
    found = [(name, finding) for name, stream in streams.items() for finding in _check_one(stream, acc_8bit)]
    return [_named(name, finding) if len(streams) > 1 else finding for name, finding in found]


def _streams(program: CheckableStream | CheckableProgram) -> Mapping[str, CheckableStream]:
    if isinstance(program, CheckableProgram):
        return program.devices
    if isinstance(program, CheckableStream):  # pyright: ignore[reportUnnecessaryIsInstance]
        return {"program": program}
    raise VtacError(f"cannot check a {type(program).__name__}: pass a program, or instruction words as bytes")


def _named(name: str, finding: Finding) -> Finding:
    return replace(finding, message=f"{name}: {finding.message}")


def _check_one(program: CheckableStream, acc_8bit: bool) -> list[Finding]:
    return _check(program.instructions, program.config, program.memory_image(), program.buffers, acc_8bit)


def _checked_image(dram: NDArray[np.uint8] | None) -> Image | None:
    if dram is not None and (dram.dtype != np.uint8 or dram.ndim != 1):
        raise VtacError(
            f"cannot check against a memory image of shape {dram.shape} and type {dram.dtype}: a vector of uint8, "
            "index = physical byte address, is required"
        )
    return dram


def _check(
    instructions: bytes, config: VTAConfig, image: Image | None, buffers: Sequence[BufferRecord], acc_8bit: bool
) -> list[Finding]:
    try:
        stream = stream_of(instructions, config)
    except ExecutionError as error:
        return [Finding(error.kind, error.index, None, None, None, error.message)]
    report = Report()
    memory = DramMap(None if image is None else len(image), buffers)
    _check_stream(stream, image, memory, report, acc_8bit)
    return report.findings()


def _check_stream(stream: Stream, image: Image | None, memory: DramMap, report: Report, acc_8bit: bool) -> None:
    sound = check_fields(stream, memory, report, acc_8bit=acc_8bit)
    order = check_tokens(stream, report)
    stores = StoreLog(stream, order, sound)
    stores.check_races(sound, report)
    footprints = Accesses(stream, image, stores, report).find(sound)
    check_sram(stream, order, footprints, report)
    if any(map(is_tensor_shift, stream.firsts.values())):
        ShiftCheck(stream, image, memory, stores, footprints).run(report)
