"""Which SRAM elements each instruction reads and writes."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, Finish, Gemm, Instruction, Load, Memory, Store, is_nop, micro_op_indices
from vtac.targets.vta.machine.stream import SRAM_OF
from vtac.targets.vta.proof.fields import sram_span
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.kernels import Footprint, footprint
from vtac.targets.vta.proof.micro_ops import Image, MicroOpMemory
from vtac.targets.vta.proof.store_log import StoreLog
from vtac.targets.vta.proof.stream import COMPUTE, LOAD, STORE, Stream
from vtac.targets.vta.proof.tiles import spell

NOTHING = Footprint()

# A kernel whose micro-ops are unknown: assumed to write what is later read, and reported.
UNKNOWN = Footprint()


class Accesses:
    """Footprints of all instructions, found in stream order; that is each unit's order too."""

    def __init__(self, stream: Stream, image: Image | None, stores: StoreLog, report: Report) -> None:
        self._stream = stream
        self._has_image = image is not None
        self._micro_ops = MicroOpMemory(stream.config, image)
        self._stores = stores
        self._report = report
        self._cache: dict[tuple[object, ...], Footprint] = {}
        self._excused: set[int] = set()

    def find(self, sound: Sequence[bool]) -> list[Footprint]:
        """The footprint of every instruction; those that are not `sound` touch nothing."""
        fixed = {index: self._of_transfer(first) for index, first in self._stream.firsts.items()}
        known: dict[tuple[int, int], Footprint] = {}
        footprints = [fixed[first] or NOTHING for first in self._stream.alike]
        for position, index in enumerate(self._stream.programs[COMPUTE]):
            first = self._stream.alike[index]
            if not sound[index]:
                footprints[index] = NOTHING
            elif fixed[first] is None:
                footprints[index] = self._computed(index, position, first, known)
        for unit in (LOAD, STORE):
            for index in self._stream.programs[unit]:
                if not sound[index]:
                    footprints[index] = NOTHING
        return footprints

    def _of_transfer(self, instruction: Instruction) -> Footprint | None:
        """What a transfer touches, or what touches nothing; None for kernels and loads of micro-ops."""
        if isinstance(instruction, Gemm | Alu):
            return None
        if isinstance(instruction, Finish) or is_nop(instruction):
            return NOTHING
        span = slice(*sram_span(instruction))
        if isinstance(instruction, Store):
            return Footprint(reads=(("acc", span),))
        if instruction.memory is Memory.UOP:
            return None
        return Footprint(writes=((SRAM_OF[instruction.memory], span),))

    def _computed(self, index: int, position: int, first: int, known: dict[tuple[int, int], Footprint]) -> Footprint:
        """What a kernel or a load of micro-ops touches; `known` holds kernels by the only load of their micro-ops."""
        instruction = self._stream.firsts[first]
        if isinstance(instruction, Gemm | Alu):
            loader = self._micro_ops.only_loader(instruction.uop_bgn, instruction.uop_end)
            if loader is None:
                return self._kernel(index, instruction)
            found = known.get((first, loader))
            if found is None:
                found = known[first, loader] = self._kernel(index, instruction)
            elif found.faults:
                self._report_faults(index, found)
            return found
        if isinstance(instruction, Load):
            start = int(self._stream.starts[index])
            self._micro_ops.load(index, instruction, start, self._why_unknown(index, position))
        return NOTHING

    def _why_unknown(self, index: int, position: int) -> str | None:
        if not self._has_image:
            return "no memory image was given"
        store = self._stores.possibly_before(position, index)
        if store is not None:
            return f"{self._stream.name(store)} may write them before {self._stream.name(index)} reads them"
        return None

    def _kernel(self, index: int, kernel: Gemm | Alu) -> Footprint:
        missing = self._micro_ops.unwritten(kernel)
        if missing is not None:
            self._report.add(
                "unwritten",
                f"{self._stream.name(index)} {rules.never_written(spell('uop', missing))}",
                index,
                buffer="uop",
                span=missing,
            )
            return UNKNOWN
        unknown = self._micro_ops.unknown(kernel)
        if unknown is not None:
            self._report_unknown(index, kernel, *unknown)
            return UNKNOWN
        return self._known_kernel(index, kernel)

    def _report_unknown(self, index: int, kernel: Gemm | Alu, loader: int, reason: str) -> None:
        """One finding per cause: the lack of an image is a single one."""
        cause = loader if self._has_image else -1
        if cause in self._excused:
            return
        self._excused.add(cause)
        advice = "" if self._has_image else "; pass the memory image, or a program, to have its tiles checked"
        self._report.add(
            "micro-ops-unknown",
            f"the micro-ops of {self._stream.name(index)} are unknown, and with them the tiles that it touches: "
            f"{self._stream.name(loader)} loads them and {reason}{advice}",
            index,
            loader,
            buffer="uop",
            span=(kernel.uop_bgn, kernel.uop_end),
        )

    def _known_kernel(self, index: int, kernel: Gemm | Alu) -> Footprint:
        words = self._micro_ops.words(kernel)
        key = (*_shape(kernel), words.tobytes())
        found = self._cache.get(key)
        if found is None:
            config = self._stream.config
            found = self._cache[key] = footprint(kernel, micro_op_indices(words, config), config)
        self._report_faults(index, found)
        return found

    def _report_faults(self, index: int, footprint: Footprint) -> None:
        for fault in footprint.faults:
            message = f"{self._stream.name(index)}: {fault.text}"
            self._report.add(fault.kind, message, index, buffer=fault.buffer, span=fault.span)


def _shape(kernel: Gemm | Alu) -> tuple[object, ...]:
    """All of a kernel that its footprint depends on, but for the micro-ops."""
    loops = (kernel.iter_out, kernel.iter_in)
    factors = (kernel.dst_factor_out, kernel.dst_factor_in, kernel.src_factor_out, kernel.src_factor_in)
    if isinstance(kernel, Gemm):
        return (kernel.reset, *loops, *factors, kernel.wgt_factor_out, kernel.wgt_factor_in)
    return ("alu", kernel.use_imm, *loops, *factors)
