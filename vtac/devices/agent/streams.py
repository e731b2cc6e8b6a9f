"""What is known of an instruction stream before it is launched.

An accelerator that waits forever is lost until it is programmed again, and it reads and writes whatever address an
instruction holds. So an agent launches only streams that end, leave no token, and stay within their client's blocks.
The rules are those of `vtac.targets.vta.rules`, judged anew: an agent trusts no client.
"""

from __future__ import annotations

import struct
from collections import deque

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.region import Block

WORD_BYTES = 16
MAX_INSTRUCTIONS = 1 << 22

_LOAD, _STORE, _GEMM, _FINISH, _ALU = range(5)
_UOP, _WGT, _INP, _ACC, _OUT, _ACC_8BIT = range(6)
_LOADED = {_UOP: "uop", _WGT: "wgt", _INP: "inp", _ACC: "acc"}
_LOAD_UNIT, _COMPUTE_UNIT, _STORE_UNIT = range(3)
_POP_PREV, _POP_NEXT, _PUSH_PREV, _PUSH_NEXT = 1, 2, 4, 8
_QUEUES = (
    (_LOAD_UNIT, _PUSH_NEXT, _COMPUTE_UNIT, _POP_PREV),
    (_COMPUTE_UNIT, _PUSH_PREV, _LOAD_UNIT, _POP_NEXT),
    (_STORE_UNIT, _PUSH_PREV, _COMPUTE_UNIT, _POP_NEXT),
    (_COMPUTE_UNIT, _PUSH_NEXT, _STORE_UNIT, _POP_PREV),
)
"""Token queues: who pushes with which bit, who pops with which."""
_LEGAL_BITS = (_POP_NEXT | _PUSH_NEXT, 15, _POP_PREV | _PUSH_PREV)
"""Token bits of each unit: load and store have one neighbour each."""
_MOST_TOKENS = 255
_FETCH_QUEUE = 512
_LAST_ALU_OPCODE = 3
_CHISEL_BITS = {"uop": 13, "inp": 11, "wgt": 10, "acc": 11}
"""Bits that the Chisel decoder has for an index, whatever its memories hold."""
_MOST_LOG = 512
_WORDS = struct.Struct("<QQ")


def element_bytes(fields: dict[str, object]) -> dict[str, int]:
    """Bytes of an element of each memory, of a configuration as `vta_config.json` states it."""
    batch = 1 << _log(fields, "LOG_BATCH")
    block = _log(fields, "LOG_BLOCK")
    block_in, block_out = 1 << _log(fields, "LOG_BLOCK_IN", block), 1 << _log(fields, "LOG_BLOCK_OUT", block)
    out = batch * block_out
    return {"uop": 4, "wgt": block_out * block_in, "inp": batch * block_in, "acc": 4 * out, "out": out}


def index_bits(fields: dict[str, object], memory: str = "acc") -> int:
    """Bits of an index into a memory in instructions."""
    if fields.get("ENCODING") == "chisel":
        return _CHISEL_BITS[memory]
    size = element_bytes(fields)[memory].bit_length() - 1
    return max(0, _log(fields, f"LOG_{memory.upper()}_BUFF_SIZE") - size)


def layout(fields: dict[str, object]) -> dict[str, int]:
    """What a stream is made for: tiles, memories, and how wide its fields are, however the configuration says so."""
    block = _log(fields, "LOG_BLOCK")
    sides = {name: _log(fields, name, block) for name in ("LOG_BLOCK_IN", "LOG_BLOCK_OUT")}
    memories = [name.upper() for name in _CHISEL_BITS]
    sizes = {f"LOG_{name}_BUFF_SIZE": _log(fields, f"LOG_{name}_BUFF_SIZE") for name in memories}
    bits = {f"bits of {name.upper()} indices": index_bits(fields, name) for name in _CHISEL_BITS}
    return {"LOG_BATCH": _log(fields, "LOG_BATCH"), **sides, **sizes, **bits}


def _log(fields: dict[str, object], name: str, default: int = 0) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or not 0 <= value <= _MOST_LOG:
        raise Refusal("configuration", f"{name} of the configuration is {value!r:.40}", "send a vta_config.json")
    return value


def check_stream(data: bytes, blocks: list[Block], fields: dict[str, object], *, simulated: bool) -> None:
    """Refuse a stream that would not end, leaves a token, or touches memory outside of `blocks`.

    `simulated` lets pass what simulators execute and the hardware does not.
    """
    if not data or len(data) % WORD_BYTES or len(data) > MAX_INSTRUCTIONS * WORD_BYTES:
        raise Refusal("length", f"{len(data)} bytes are no stream of instructions of {WORD_BYTES}", "load it again")
    sizes = element_bytes(fields)
    alu_bit = 4 * index_bits(fields)
    units: list[int] = []
    tokens: list[int] = []
    opcode = _FINISH
    for index, (low, high) in enumerate(_WORDS.iter_unpack(data)):
        opcode = low & 7
        if opcode > _ALU:
            raise _refused("opcode", index, f"opcode {opcode} is none of LOAD, STORE, GEMM, FINISH and ALU")
        if opcode in (_LOAD, _STORE):
            _check_memory(index, opcode, low, high, blocks, sizes, simulated)
        elif opcode == _ALU and not simulated:
            _check_alu(index, high, alu_bit)
        elif opcode == _FINISH and (index + 1) * WORD_BYTES != len(data):
            raise _refused("finish", index, "instructions follow FINISH, which has to be the last")
        units.append(_unit(opcode, low >> 7 & 7))
        tokens.append(low >> 3 & 15)
        if not _LEGAL_BITS[units[-1]] & tokens[-1] == tokens[-1]:
            raise _refused("dependence", index, "its token bits name a neighbour that its unit does not have")
    if opcode != _FINISH:
        raise _refused("finish", len(units) - 1, "the last instruction is not FINISH")
    _check_tokens(units, tokens, _log(fields, "QUEUE_DEPTH", _FETCH_QUEUE))


def _refused(kind: str, index: int, problem: str) -> Refusal:
    return Refusal(kind, f"instruction {index}: {problem}; nothing was launched", "compile the program again")


def _unit(opcode: int, memory: int) -> int:
    if opcode == _STORE:
        return _STORE_UNIT
    return _LOAD_UNIT if opcode == _LOAD and memory in (_WGT, _INP) else _COMPUTE_UNIT


def _check_memory(
    index: int, opcode: int, low: int, high: int, blocks: list[Block], sizes: dict[str, int], simulated: bool
) -> None:
    memory, base = low >> 7 & 7, low >> 26 & 0xFFFFFFFF
    rows, width, stride = high & 0xFFFF, high >> 16 & 0xFFFF, high >> 32 & 0xFFFF
    if not width:
        return
    known = memory == _OUT if opcode == _STORE else memory in _LOADED or (simulated and memory == _ACC_8BIT)
    if not known:
        raise _refused("memory", index, f"memory id {memory} cannot be {'stored' if opcode == _STORE else 'loaded'}")
    if not rows:
        if simulated:
            return
        raise _refused("zero-rows", index, "it has no rows and never finishes")
    size = sizes[_LOADED.get(memory, "out")]
    begin, end = base * size, (base + (rows - 1) * stride + width) * size
    if not any(block.holds(begin, end - begin) for block in blocks):
        raise _refused("dram-range", index, f"bytes 0x{begin:x} to 0x{end:x} are not within a block of this client")


def _check_alu(index: int, high: int, opcode_bit: int) -> None:
    opcode = high >> opcode_bit & 7
    if opcode > _LAST_ALU_OPCODE:
        raise _refused("alu-opcode", index, f"ALU opcode {opcode}; the ALU has MIN, MAX, ADD and SHR")


class _Stalled(Exception):  # noqa: N818 - the way out of a run that stops
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


def _check_tokens(units: list[int], tokens: list[int], depth: int) -> None:
    """Refuse a stream that waits forever, loses a token, or leaves tokens for the next program.

    Which instruction waits for which does not depend on timing, so any one order tells of a stall. The most tokens
    that a queue can hold are those of the order in which its consumer is the last to run.
    """
    counts = [0] * len(_QUEUES)
    outlasting = -1
    for queue, (_, _, consumer, _) in enumerate(_QUEUES):
        try:
            counts, most, running = _run_through(units, tokens, depth, consumer, queue)
        except _Stalled as stalled:
            raise _refused(
                "deadlock", stalled.index, "it waits for a token that nobody pushes, and the device would hang"
            ) from None
        outlasting = max(outlasting, running)
        if most > _MOST_TOKENS:
            raise Refusal(
                "token-limit",
                f"{most} tokens can be in one queue; the hardware counts to {_MOST_TOKENS} and would hang",
                "compile the program again",
            )
    if any(counts):
        raise Refusal(
            "tokens",
            f"tokens that nobody pops, {sum(counts)} left at the end, for the next program; it was not launched",
            "compile the program again",
        )
    if outlasting >= 0:
        raise _refused("finish", outlasting, "FINISH does not wait for it, and the next program would meet it")


def _run_through(
    units: list[int], tokens: list[int], depth: int, slowest: int, queue: int
) -> tuple[list[int], int, int]:
    """A run in which the unit `slowest` moves only where no other can.

    Tokens at the end, the most that `queue` held, and what still waits when FINISH is done, -1 where nothing does.
    """
    waiting: list[deque[int]] = [deque(), deque(), deque()]
    counts = [0] * len(_QUEUES)
    others = [unit for unit in range(3) if unit != slowest]
    last = len(units) - 1
    fetched = most = 0
    running = -1
    while True:
        while fetched < len(units) and len(waiting[units[fetched]]) < depth:
            waiting[units[fetched]].append(fetched)
            fetched += 1
        moved = False
        for unit in others:
            while waiting[unit] and _step(unit, tokens[waiting[unit][0]], counts):
                if waiting[unit].popleft() == last and waiting[slowest]:
                    running = waiting[slowest][0]
                moved = True
        most = max(most, counts[queue])
        if moved:
            continue
        if waiting[slowest] and _step(slowest, tokens[waiting[slowest][0]], counts):
            waiting[slowest].popleft()
        elif any(waiting):
            raise _Stalled(min(unit[0] for unit in waiting if unit))
        elif fetched == len(units):
            return counts, most, running


def _step(unit: int, bits: int, counts: list[int]) -> bool:
    """Take an instruction's tokens and give those that it pushes, where it can run."""
    for queue in _POPS[unit][bits]:
        if not counts[queue]:
            return False
    for queue in _POPS[unit][bits]:
        counts[queue] -= 1
    for queue in _PUSHES[unit][bits]:
        counts[queue] += 1
    return True


def _of_bits(column: int, bit_column: int) -> list[list[list[int]]]:
    """For each unit and token bits, the queues that an instruction pops or pushes."""
    return [
        [
            [place for place, queue in enumerate(_QUEUES) if queue[column] == unit and bits & queue[bit_column]]
            for bits in range(16)
        ]
        for unit in range(3)
    ]


_PUSHES = _of_bits(0, 1)
_POPS = _of_bits(2, 3)
