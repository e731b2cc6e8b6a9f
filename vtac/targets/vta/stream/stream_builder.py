"""Builds an instruction stream from runtime calls, with the reference runtime's bookkeeping.

Tokens become bits of neighbouring instructions or of NOPs; a kernel's micro-ops are loaded
when it is first used; `finish` makes every unit wait for the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa.instructions import AluOpcode, Memory, Opcode
from vtac.targets.vta.isa.micro_ops import encode_micro_ops
from vtac.targets.vta.stream.dataflow import TokenPlan, plan_tokens
from vtac.targets.vta.stream.footprints import Issued, KernelSlice
from vtac.targets.vta.stream.items import Fields, IssuedLoop, Item, encode_items, lengths

LOAD, COMPUTE, STORE = 1, 2, 3
"""Stages in queue order."""

POP_PREV, POP_NEXT, PUSH_PREV, PUSH_NEXT = 1 << 3, 1 << 4, 1 << 5, 1 << 6

Row = tuple[int, ...]
MicroOps = Callable[..., ArrayLike]
"""From the values that a kernel captures to its micro-ops, of shape (n, 3): dst, src, wgt."""
_NO_STAGE = 0
_NOPS: dict[int, Issued] = {
    LOAD: Issued(Opcode.LOAD, (Memory.INP, 0, 0, 0, 0, 0, 0, 0, 0, 0), _NO_STAGE, None),
    COMPUTE: Issued(Opcode.LOAD, (Memory.UOP, 0, 0, 0, 0, 0, 0, 0, 0, 0), _NO_STAGE, None),
    STORE: Issued(Opcode.STORE, (Memory.UOP, 0, 0, 0, 0, 0, 0, 0, 0, 0), STORE, None),
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """Where a kernel's micro-ops stand in UOP SRAM, and where in the micro-op buffer."""

    begin: int
    end: int
    micro_ops: KernelSlice


class StreamBuilder:
    """One instruction stream under construction.

    `uop_address` is the byte address of the micro-op buffer in DRAM; `uop_capacity` the
    micro-ops that UOP SRAM holds. Each call names its `site`, the number of the op that
    makes it; `origins` records it per instruction, with the number of the kernel's call that
    `enter` has announced, -1 outside of any. `plan` orders instructions by tokens.
    """

    def __init__(self, config: VTAConfig, uop_address: int, uop_capacity: int, plan: TokenPlan = plan_tokens) -> None:
        self.config = config
        self._plan = plan
        self.micro_op_count = 0
        self._micro_ops: list[NDArray[np.int64]] = []
        self._kernel_starts: list[int] = []
        self._kernel_origins: list[tuple[int, int]] = []
        """Of each kernel whose micro-ops are in the buffer, the number of the first, and who used it first."""
        self._uop_base = uop_address // config.uop_element_bytes
        self._uop_capacity = uop_capacity
        self._items: list[Item] = []
        self._origins: list[tuple[int, int]] = []
        self._pops: list[int] = []
        self._pushes: list[int] = []
        """Token bits of each item: what its first instruction pops, and its last one pushes."""
        self._pending = [0, 0, 0, 0]
        self._cache: dict[Hashable, Kernel] = {}
        self._begin = 0
        self._uop_end = 0
        self._call = -1

    def __len__(self) -> int:
        return sum(lengths(self._items))

    @property
    def micro_ops(self) -> NDArray[np.int64]:
        """The micro-ops of all kernels, in the order of their buffer: shape (n, 3), columns dst, src, wgt."""
        return np.concatenate([*self._micro_ops, np.zeros((0, 3), np.int64)])

    @property
    def origins(self) -> list[tuple[tuple[int, int], int]]:
        """The number of the kernel's call and that of the site, and of how many instructions after those before."""
        return list(zip(self._origins, lengths(self._items), strict=True))

    def origin_of(self, error: EncodingError) -> tuple[int, int]:
        """The number of the kernel's call and that of the site of what cannot be encoded."""
        if error.of_micro_op:
            owner = bisect_right(self._kernel_starts, error.index) - 1
            return self._kernel_origins[owner]
        item = bisect_right(list(accumulate(lengths(self._items))), error.index)
        return self._origins[item]

    def behind_end(self) -> tuple[int, int] | None:
        """The origin of the first instruction behind a FINISH; None where it is the last."""
        end = next((n for n, item in enumerate(self._items[:-1]) if item.opcode is Opcode.FINISH), None)
        return None if end is None else self._origins[end + 1]

    def enter(self, call: int) -> None:
        """What follows belongs to this call of a kernel."""
        self._call = call

    def load(self, site: int, stage: int, row: Row) -> None:
        """LOAD of INP or WGT (stage load) or ACC (stage compute).

        `row`: memory, sram_base, dram_base, y_size, x_size, x_stride, y_pad_0, y_pad_1, x_pad_0, x_pad_1.
        """
        self._append(site, Opcode.LOAD, row, stage)

    def store(self, site: int, row: Row) -> None:
        """STORE of OUT; the same row as `load`, without pads."""
        self._append(site, Opcode.STORE, row, STORE)

    def loads(self, site: int, stage: int, shape: Sequence[int], row: Fields) -> None:
        """The loads of a nest of loops of that shape; arrays in `row` hold a field's values in all of them."""
        self._put_loop(IssuedLoop.over(shape, Opcode.LOAD, row, stage), site)

    def stores(self, site: int, shape: Sequence[int], row: Fields) -> None:
        """The stores of a nest of loops, as in `loads`."""
        self._put_loop(IssuedLoop.over(shape, Opcode.STORE, row, STORE), site)

    def gemm(self, site: int, captures: Row, micro_ops: MicroOps, reset: bool, loops: Row) -> None:
        """GEMM. `loops`: iter_out, iter_in, then the out and in factors of dst, src and wgt."""
        kernel = self._kernel(site, captures, micro_ops)
        self._append(site, Opcode.GEMM, (int(reset), kernel.begin, kernel.end, *loops), COMPUTE, kernel.micro_ops)

    def alu(
        self,
        site: int,
        captures: Row,
        micro_ops: MicroOps,
        opcode: AluOpcode,
        immediate: int | None,
        loops: Row,
    ) -> None:
        """ALU. `loops`: iter_out, iter_in, then the out and in factors of dst and src."""
        kernel = self._kernel(site, captures, micro_ops)
        use_imm = immediate is not None
        row = (kernel.begin, kernel.end, *loops, opcode, int(use_imm), immediate or 0)
        self._append(site, Opcode.ALU, row, COMPUTE, kernel.micro_ops)

    def push(self, site: int, source: int, target: int) -> None:
        """After its last instruction, stage `source` gives stage `target` a token.

        The bit goes on the last instruction of the stream when that is one of `source`, no
        NOP load and has the bit free; otherwise a NOP carries it.
        """
        self._flush(site, source)
        bit = PUSH_NEXT if source < target else PUSH_PREV
        if self._items and self._items[-1].stage == source and not self._pushes[-1] & bit:
            self._pushes[-1] |= bit
        else:
            self._nop(site, source, bit)

    def pop(self, site: int, source: int, target: int) -> None:
        """Before its next instruction, stage `target` takes a token from stage `source`."""
        bit = POP_PREV if source < target else POP_NEXT
        if self._pending[target] & bit:
            self._flush(site, target)
        self._pending[target] |= bit

    def finish(self, site: int) -> None:
        """Let compute wait for load and store, and end the stream."""
        self.push(site, STORE, COMPUTE)
        self.push(site, LOAD, COMPUTE)
        self.pop(site, STORE, COMPUTE)
        self.pop(site, LOAD, COMPUTE)
        self._flush(site, COMPUTE)
        self._end(site)

    def finish_dataflow(self, site: int) -> None:
        """Order what came since the last end by tokens that follow the data, and end the stream.

        Raises `EncodingError` as `instructions` and `encoded_micro_ops` do.
        """
        self.instructions()  # what no memory holds is refused before it is planned
        self.encoded_micro_ops()
        items, origins = self._take_apart()
        for placed in self._plan(items, self.micro_ops, self.config):
            source, stage = placed.source, placed.stage
            if source is None:
                self._nop(site, stage, 0)
            else:
                self._call = origins[source][0]
                self._put(items[source], origins[source], stage)
            for other in placed.pops:
                self._pops[-1] |= POP_PREV if other < stage else POP_NEXT
            for other in placed.pushes:
                self._pushes[-1] |= PUSH_PREV if other < stage else PUSH_NEXT
        self._end(site)

    def _take_apart(self) -> tuple[list[Issued], list[tuple[int, int]]]:
        """The instructions since the last end, one by one, and their origins; the stream has them no more."""
        begin = self._begin
        items, origins = self._items[begin:], self._origins[begin:]
        del self._items[begin:], self._origins[begin:], self._pops[begin:], self._pushes[begin:]
        single = (item.apart() if type(item) is IssuedLoop else (cast(Issued, item),) for item in items)
        every = map(repeat, origins, lengths(items))
        return list(chain.from_iterable(single)), list(chain.from_iterable(every))

    def _end(self, site: int) -> None:
        self._append(site, Opcode.FINISH, (), COMPUTE)
        self._cache.clear()
        self._uop_end = 0
        self._begin = len(self._items)

    def _append(self, site: int, opcode: Opcode, row: Row, stage: int, micro_ops: KernelSlice | None = None) -> None:
        self._put(Issued(opcode, row, stage, micro_ops), (self._call, site), stage)

    def _put_loop(self, loop: IssuedLoop, site: int) -> None:
        if loop.length:
            self._put(loop, (self._call, site), loop.stage)

    def _put(self, item: Item, origin: tuple[int, int], stage: int, pushes: int = 0) -> None:
        """Add what takes the pops that wait for the stage."""
        self._items.append(item)
        self._origins.append(origin)
        self._pops.append(self._pending[stage])
        self._pushes.append(pushes)
        self._pending[stage] = 0

    def _flush(self, site: int, stage: int) -> None:
        """Let a NOP carry the pops that wait for the stage's next instruction."""
        if self._pending[stage]:
            self._nop(site, stage, 0)

    def _nop(self, site: int, stage: int, bits: int) -> None:
        self._put(_NOPS[stage], (self._call, site), stage, bits)

    def _kernel(self, site: int, captures: Row, micro_ops: MicroOps) -> Kernel:
        """The kernel of a call site with these captured values, loaded when it is not in SRAM.

        When it does not fit, the cache starts again at address 0 and forgets every kernel:
        loads and uses of micro-ops are all the compute unit's, so its order makes that safe.
        """
        key = (site, captures)
        kernel = self._cache.get(key)
        if kernel is not None:
            return kernel
        new = np.asarray(micro_ops(*captures), np.int64)
        if self._uop_end + len(new) > self._uop_capacity:
            self._cache.clear()
            self._uop_end = 0
        kernel = Kernel(self._uop_end, self._uop_end + len(new), KernelSlice(self.micro_op_count, len(new)))
        dram = self._uop_base + self.micro_op_count
        self._micro_ops.append(new)
        self._kernel_starts.append(self.micro_op_count)
        self._kernel_origins.append((self._call, site))
        self.micro_op_count += len(new)
        self._uop_end = kernel.end
        self._cache[key] = kernel
        row = (int(Memory.UOP), kernel.begin, dram, 1, len(new), len(new), 0, 0, 0, 0)
        self._append(site, Opcode.LOAD, row, COMPUTE)
        return kernel

    def instructions(self) -> bytes:
        """The stream, 16 bytes per instruction. Raises `EncodingError` for a value over its field."""
        counts = lengths(self._items)
        words, starts = encode_items(self._items, counts, self.config), np.cumsum([0, *counts])
        words[starts[:-1], 0] |= np.array(self._pops, np.uint64)
        words[starts[1:] - 1, 0] |= np.array(self._pushes, np.uint64)
        return words.astype("<u8", copy=False).tobytes()

    def encoded_micro_ops(self) -> bytes:
        """The micro-op buffer, 4 bytes each. Raises `EncodingError` for an index over its field."""
        return encode_micro_ops(self.micro_ops, self.config)
