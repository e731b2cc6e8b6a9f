"""A second oracle for instruction streams: runtime calls replayed under the reference runtime's rules.

Knows nothing of the compiler: bytes are packed here, from field widths counted here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from vtac.dialects.hardware import VTAConfig

LOAD, COMPUTE, STORE = 1, 2, 3
MEMORY_IDS = {"uop": 0, "wgt": 1, "inp": 2, "acc": 3, "out": 4}
ALU_CODES = {"min": 0, "max": 1, "add": 2, "shr": 3}
PAGE = 4096

MicroOps = Sequence[tuple[int, int, int]]
Loops = Sequence[tuple[int, int, int, int]]
"""Up to two hardware loops, outermost first: extent, then the factors of dst, src and wgt."""
Fields = Sequence[tuple[int, int]]
"""(value, bits), lowest bits first."""


def _pack(fields: Fields) -> int:
    word = place = 0
    for value, bits in fields:
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{value} does not fit {bits} bits")
        word |= value << place
        place += bits
    return word


@dataclass
class _Word:
    """One instruction: its 128 bits without tokens, who executes it, and its token bits."""

    bits: int
    stage: int
    tokens: set[str] = field(default_factory=set[str])
    takes_pushes: bool = True


_TOKEN_BITS = {"pop_prev": 3, "pop_next": 4, "push_prev": 5, "push_next": 6}


class Replay:
    """Collects runtime calls; `instructions` and `micro_ops` are the bytes that come out."""

    def __init__(self, config: VTAConfig, micro_op_address: int) -> None:
        self.config = config
        self.micro_op_element = micro_op_address // 4
        self.words: list[_Word] = []
        self.micro_op_list: list[tuple[int, int, int]] = []
        self.waiting: dict[int, set[str]] = {LOAD: set(), COMPUTE: set(), STORE: set()}
        self.resident: dict[Hashable, tuple[int, int]] = {}
        self.next_free = 0
        self.bits = {name: config.capacity(name).bit_length() - 1 for name in ("uop", "wgt", "inp", "acc")}

    def _emit(self, bits: int, stage: int, *, takes_pushes: bool = True) -> None:
        self.words.append(_Word(bits, stage, self.waiting[stage], takes_pushes))
        self.waiting[stage] = set()

    def _nop(self, stage: int) -> None:
        if stage == STORE:
            self._emit(1, STORE)
        else:
            self._emit(MEMORY_IDS["inp" if stage == LOAD else "uop"] << 7, stage, takes_pushes=False)

    def _flush(self, stage: int) -> None:
        if self.waiting[stage]:
            self._nop(stage)

    def pop(self, source: int, target: int) -> None:
        """dep_pop: the target's next instruction takes a token."""
        bit = "pop_prev" if source < target else "pop_next"
        if bit in self.waiting[target]:
            self._flush(target)
        self.waiting[target].add(bit)

    def push(self, source: int, target: int) -> None:
        """dep_push: the source's last instruction gives one, if it is the last of all."""
        self._flush(source)
        bit = "push_next" if source < target else "push_prev"
        last = self.words[-1] if self.words else None
        if last is None or last.stage != source or not last.takes_pushes or bit in last.tokens:
            self._nop(source)
        self.words[-1].tokens.add(bit)

    def sync(self) -> None:
        """Wait for both neighbours of compute, and finish."""
        self.push(STORE, COMPUTE)
        self.push(LOAD, COMPUTE)
        self.pop(STORE, COMPUTE)
        self.pop(LOAD, COMPUTE)
        self._flush(COMPUTE)
        self._emit(3, COMPUTE)
        self.resident.clear()
        self.next_free = 0

    def _transfer(
        self, opcode: int, memory: str, sram: int, dram: int, sizes: Sequence[int], pads: Sequence[int]
    ) -> int:
        x_size, y_size, x_stride = sizes
        x_before, y_before, x_after, y_after = pads
        low = _pack([(opcode, 7), (MEMORY_IDS[memory], 3), (sram, 16), (dram, 32)])
        high = _pack(
            [(y_size, 16), (x_size, 16), (x_stride, 16), (y_before, 4), (y_after, 4), (x_before, 4), (x_after, 4)]
        )
        return low | high << 64

    def load(self, memory: str, dram: int, sizes: Sequence[int], pads: Sequence[int], sram: int) -> None:
        """VTALoadBuffer2D: sizes are x, y, stride; pads are x before, y before, x after, y after."""
        self._emit(self._transfer(0, memory, sram, dram, sizes, pads), COMPUTE if memory in ("acc", "uop") else LOAD)

    def store(self, sram: int, dram: int, sizes: Sequence[int]) -> None:
        """VTAStoreBuffer2D."""
        self._emit(self._transfer(1, "out", sram, dram, sizes, (0, 0, 0, 0)), STORE)

    def _kernel(self, key: Hashable, micro_ops: Callable[[], MicroOps]) -> tuple[int, int]:
        if key not in self.resident:
            new = list(micro_ops())
            if self.next_free + len(new) > min(self.config.capacity("uop"), 2048):
                self.resident.clear()
                self.next_free = 0
            begin, end = self.next_free, self.next_free + len(new)
            self.load("uop", self.micro_op_element + len(self.micro_op_list), (len(new), 1, len(new)), (0,) * 4, begin)
            self.micro_op_list += new
            self.next_free = end
            self.resident[key] = (begin, end)
        return self.resident[key]

    def _kernel_word(self, opcode: int, reset: bool, uops: tuple[int, int], extents: tuple[int, int]) -> Fields:
        uop = self.bits["uop"]
        return [(opcode, 7), (int(reset), 1), (uops[0], uop), (uops[1], uop + 1), (extents[0], 14), (extents[1], 14)]

    def gemm(self, key: Hashable, micro_ops: Callable[[], MicroOps], loops: Loops, *, reset: bool = False) -> None:
        """VTAPushGEMMOp; a single loop is the outer one."""
        uops = self._kernel(key, micro_ops)
        outer, inner = [*loops, (1, 0, 0, 0), (1, 0, 0, 0)][:2]
        names = ("acc", "inp", "wgt")
        factors = [(loop[1 + at], self.bits[name]) for at, name in enumerate(names) for loop in (outer, inner)]
        low = _pack(self._kernel_word(2, reset, uops, (outer[0], inner[0])))
        self._emit(low | _pack(factors) << 64, COMPUTE)

    def alu(
        self, key: Hashable, micro_ops: Callable[[], MicroOps], loops: Loops, opcode: str, immediate: int | None
    ) -> None:
        """VTAPushALUOp; a single loop is the inner one."""
        uops = self._kernel(key, micro_ops)
        outer, inner = [(1, 0, 0, 0), (1, 0, 0, 0), *loops][-2:]
        acc = self.bits["acc"]
        factors: list[tuple[int, int]] = [(loop[at], acc) for at in (1, 2) for loop in (outer, inner)]
        operand = [(ALU_CODES[opcode], 3), (int(immediate is not None), 1), ((immediate or 0) & 0xFFFF, 16)]
        low = _pack(self._kernel_word(4, False, uops, (outer[0], inner[0])))
        self._emit(low | _pack([*factors, *operand]) << 64, COMPUTE)

    @property
    def instructions(self) -> bytes:
        """The stream, 16 bytes per instruction."""
        encoded = [word.bits | sum(1 << _TOKEN_BITS[name] for name in word.tokens) for word in self.words]
        return b"".join(word.to_bytes(16, "little") for word in encoded)

    @property
    def micro_ops(self) -> bytes:
        """The micro-op buffer, 4 bytes each."""
        acc, inp, wgt = (self.bits[name] for name in ("acc", "inp", "wgt"))
        widths = (acc, max(acc, inp), wgt)
        packed = [_pack(list(zip(micro_op, widths, strict=True))) for micro_op in self.micro_op_list]
        return b"".join(word.to_bytes(4, "little") for word in packed)


def page_addresses(sizes: Sequence[int]) -> list[int]:
    """Where buffers of these byte sizes start, and the first free page after them."""
    addresses = [PAGE]
    for size in sizes:
        addresses.append(addresses[-1] + -(-size // PAGE) * PAGE)
    return addresses
