"""The three reference programs as instructions, and the NOPs that carry tokens."""

from __future__ import annotations

from collections.abc import Iterator

from vtac.targets.vta.isa import (
    NO_DEPENDENCES,
    Alu,
    AluOpcode,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    Store,
)

PUSH_PREV, PUSH_NEXT = Dependences(push_prev=True), Dependences(push_next=True)
POP_PREV, POP_NEXT = Dependences(pop_prev=True), Dependences(pop_next=True)
BOTH_POPS = Dependences(pop_prev=True, pop_next=True)

REQUANTISATION = ((AluOpcode.SHR, 8), (AluOpcode.MAX, 0), (AluOpcode.MIN, 127))


def load_nop(dependences: Dependences = NO_DEPENDENCES) -> Load:
    return Load(Memory.INP, 0, 0, 0, 0, 0, dependences=dependences)


def compute_nop(dependences: Dependences = NO_DEPENDENCES) -> Load:
    return Load(Memory.UOP, 0, 0, 0, 0, 0, dependences=dependences)


def store_nop(dependences: Dependences = NO_DEPENDENCES) -> Store:
    return Store(Memory.UOP, 0, 0, 0, 0, 0, dependences=dependences)


def uops(sram: int, dram: int, count: int = 1, dependences: Dependences = NO_DEPENDENCES) -> Load:
    return Load(Memory.UOP, sram, dram, 1, count, count, dependences=dependences)


def alu(opcode: AluOpcode, imm: int, uop: int, tiles: int, dependences: Dependences = NO_DEPENDENCES) -> Alu:
    return Alu(opcode, True, imm, uop, uop + 1, 1, tiles, 0, 1, 0, 1, dependences)


def vadd() -> list[Instruction]:
    """Vector addition of 64 x 16 numbers."""
    return [
        Load(Memory.ACC, 0, 0x40, 1, 64, 64),
        Load(Memory.ACC, 64, 0x80, 1, 64, 64),
        uops(0, 0x1000),
        Alu(AluOpcode.ADD, False, 0, 0, 1, 1, 64, 0, 1, 0, 1, PUSH_NEXT),
        Store(Memory.OUT, 0, 0x300, 1, 64, 64, dependences=Dependences(pop_prev=True, push_prev=True)),
        load_nop(PUSH_NEXT),
        compute_nop(BOTH_POPS),
        Finish(),
    ]


def matmul() -> list[Instruction]:
    """1 x 1024 by 1024 x 1024, in blocks of 256, leaving one token behind."""
    program: list[Instruction] = [store_nop(PUSH_PREV)]
    for block in range(4):
        if not block:
            program.append(uops(0, 0x40C00, 1, POP_NEXT))
        bits = Dependences(pop_next=block > 0, push_prev=True)
        program.append(Gemm(True, 0, 1, 16, 1, 1, 0, 0, 0, 0, 0, bits))
        program += [load_nop(POP_NEXT)] if block else []
        program += _matmul_block(block)
    return [*program, store_nop(PUSH_PREV), load_nop(POP_NEXT), load_nop(PUSH_NEXT), compute_nop(BOTH_POPS), Finish()]


def _matmul_block(block: int) -> Iterator[Instruction]:
    for channel in range(4):
        yield Load(Memory.INP, 0, 0x100 + 16 * channel, 1, 16, 16, dependences=POP_NEXT)
        weights = 0x20 + 1024 * block + 16 * channel
        yield Load(Memory.WGT, 0, weights, 16, 16, 64, dependences=PUSH_NEXT)
        first = not block and not channel
        if first:
            yield uops(1, 0x40C01, 1, POP_PREV)
        bits = Dependences(pop_prev=not first, push_prev=True)
        yield Gemm(False, 1, 2, 16, 16, 1, 0, 0, 1, 16, 1, bits)
    for uop, (opcode, imm) in enumerate(REQUANTISATION, 2):
        if not block:
            yield uops(uop, 0x40C00 + uop)
        yield alu(opcode, imm, uop, 16, PUSH_NEXT if opcode is AluOpcode.MIN else NO_DEPENDENCES)
    for tile in range(16):
        bits = Dependences(pop_prev=tile == 0, push_prev=tile == 15)
        yield Store(Memory.OUT, tile, 0x10200 + 16 * block + tile, 1, 1, 1, dependences=bits)


def conv2d() -> list[Instruction]:
    """The 14 x 14 x 256 convolution, 3 x 3, with two virtual threads over output channels."""
    program: list[Instruction] = [store_nop(PUSH_PREV), store_nop(PUSH_PREV)]
    for half in range(2):
        for thread in range(2):
            if not half:
                program.append(uops(14 * thread, 0x2AC00 + 14 * thread, 14, POP_NEXT))
            bits = Dependences(pop_next=bool(half), push_prev=True)
            program.append(Gemm(True, 14 * thread, 14 * thread + 14, 8, 7, 98, 14, 0, 0, 0, 0, bits))
        program += [load_nop(POP_NEXT)] * half
        program += _conv2d_channels(half)
        program.append(load_nop(POP_NEXT))
        program += _conv2d_requantise(half)
        program += _conv2d_stores(half)
    program += [compute_nop(POP_NEXT), store_nop(PUSH_PREV), load_nop(POP_NEXT), load_nop(PUSH_NEXT)]
    return [*program, compute_nop(POP_NEXT), compute_nop(BOTH_POPS), Finish()]


def _conv2d_channels(half: int) -> Iterator[Instruction]:
    pads = (0, 1, 1, 1) if half else (1, 0, 1, 1)
    for channel in range(16):
        for thread in range(2):
            data = 0x100 + 196 * channel + 84 * half
            yield Load(Memory.INP, 144 * thread, data, 8, 14, 14, *pads, dependences=POP_NEXT)
            weights = 0xE0 + 9 * channel + 1152 * thread
            yield Load(Memory.WGT, 72 * thread, weights, 8, 9, 144, dependences=PUSH_NEXT)
        for thread in range(2):
            first = 28 + 126 * thread
            bits = Dependences(pop_prev=True, push_prev=True)
            if not half and not channel:
                yield uops(first, 0x2AC00 + first, 126, POP_PREV)
                bits = PUSH_PREV
            yield Gemm(False, first, first + 126, 8, 7, 98, 14, 0, 16, 9, 0, bits)


def _conv2d_requantise(half: int) -> Iterator[Instruction]:
    for thread in range(2):
        for uop, (opcode, imm) in enumerate(REQUANTISATION, 280 + 3 * thread):
            if not half:
                yield uops(uop, 0x2AC00 + uop)
            yield alu(opcode, imm, uop, 784, PUSH_NEXT if opcode is AluOpcode.MIN else NO_DEPENDENCES)


def _conv2d_stores(half: int) -> Iterator[Instruction]:
    for thread in range(2):
        for tile in range(784):
            block, place = divmod(tile, 98)
            dram = 0x9E00 + 1568 * thread + 196 * block + 98 * half + place
            bits = Dependences(pop_prev=tile == 0, push_prev=tile == 783)
            yield Store(Memory.OUT, 784 * thread + tile, dram, 1, 1, 1, dependences=bits)
