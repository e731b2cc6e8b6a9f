"""The rules of the hardware that an instruction stream must keep: limits, kinds, and what is said of a broken one.

Two judges use them. Strict execution (`machine/`) meets a broken rule while a stream runs in one order; the
static checker (`proof/`) proves that no order breaks one. The two compute what they judge independently of
each other, from columns of the whole stream and from decoded instructions, so that each is an oracle for the other:
only the numbers and the words here are shared. Two rules have words of their own on either side, because the two
know different things of them: what all units of one run wait for (`deadlock`) and the size of its memory image
(`dram-range`) against the token that nothing pushes and the buffers of every run.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_TOKENS = 255
"""Tokens that a queue's counter of 8 bits counts."""

HARDWARE_MICRO_OPS = 2048
"""Entries of the micro-op memory as it is built, whatever the configuration says."""

MAX_SHIFT = 31
"""The largest amount that 5 bits hold."""

HLS_SHIFTS = (-16, 15)
"""The amounts of the HLS design: a signed number of 5 bits, so that 16 to 31 shift left."""

EMPTY_LOOP_TRIPS = 16384
"""What a counter of 14 bits makes of a loop of no trips."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what must hold, the part of the hardware's design that asks for it, and what to do where it is broken.

    `judges` are those that can find it broken: `machine` (in every mode), `strict` (in strict execution), `proof`.
    """

    rule: str
    source: str
    remedy: str
    judges: tuple[str, ...] = ("machine", "proof")


_STRICT = ("strict", "proof")

RULES: dict[str, Rule] = {
    "length": Rule("a stream is whole words of 16 bytes", "Fetch: a word per instruction", "cut or pad the file"),
    "opcode": Rule("the opcode is LOAD, STORE, GEMM, FINISH or ALU", "Decode", "encode one of the five"),
    "memory": Rule(
        "LOAD fills UOP, WGT, INP or ACC, STORE reads OUT",
        "Decode: loads of ACC_8BIT and OUT go nowhere",
        "name another",
    ),
    "alu-opcode": Rule("the ALU has MIN, MAX, ADD and SHR", "TensorAlu: no multiplier", "multiply by GEMM"),
    "dependence": Rule(
        "load and store have one neighbour each", "Core: token queues lie between neighbours", "clear the other bits"
    ),
    "pad": Rule(
        "a STORE has no pads, nor on the HLS design a LOAD of weights",
        "Store, and load_2d of the HLS design: the pad fields are not read",
        "set all four to 0",
    ),
    "sram-range": Rule("a block lies within its memory", "TensorLoad: addresses wrap around", "make the block smaller"),
    "dram-range": Rule(
        "a block lies within one buffer of the memory", "the memory image and its buffers", "move or shorten the block"
    ),
    "uop-range": Rule(
        "micro-ops lie within their memory", "LoadUop: 2,048 entries are built, whatever is configured", "use fewer"
    ),
    "index-range": Rule(
        "an index lies within its memory", "TensorGemm, TensorAlu: indices wrap around", "shrink loops or factors"
    ),
    "finish": Rule("FINISH is last, and once", "Compute: it ends the run", "move it behind all that it waits for"),
    "deadlock": Rule("every token that is popped is pushed before", "Semaphore", "push the token that is missing"),
    "fetch": Rule(
        "what an instruction waits for is fetched before it",
        "Fetch: in order, QUEUE_DEPTH per queue, 512 unless configured",
        "move it forward",
        _STRICT,
    ),
    "tokens": Rule("no token is left at the end", "Semaphore: the next run would take it", "pop or drop it", _STRICT),
    "token-limit": Rule(
        "at most 255 tokens are in a queue", "Semaphore: a counter of 8 bits", "let the producer wait earlier", _STRICT
    ),
    "unwritten": Rule("what is read was written", "SRAM holds anything at the start", "load or reset it", _STRICT),
    "zero-trip": Rule(
        "loops and micro-op ranges are not empty",
        "TensorGemm, TensorAlu: counters wrap",
        "drop the instruction",
        _STRICT,
    ),
    "zero-rows": Rule("a LOAD has rows", "TensorLoad: it waits for a row forever", "load at least one row", _STRICT),
    "alu-hazard": Rule(
        "no ALU micro-op reads what the one before it writes",
        "TensorAlu: a pipeline without bypass",
        "reorder",
        _STRICT,
    ),
    "immediate-source": Rule(
        "under an immediate src is dst", "TensorAlu reads src, simulators dst", "make them equal", _STRICT
    ),
    "shift": Rule(
        "amounts lie within -31 and 31, on the HLS design -16 and 15",
        "TensorAlu: the low 5 bits count",
        "shift twice",
        _STRICT,
    ),
    "store-source": Rule(
        "a STORE reads results of GEMM or ALU", "the OUT buffer, which LOAD ACC does not fill", "add 0 first", _STRICT
    ),
    "race": Rule("tokens order every two accesses of a tile", "units run on their own", "add the token", ("proof",)),
    "dram-race": Rule("tokens order every two accesses of DRAM", "units run on their own", "add the token", ("proof",)),
    "micro-ops-unknown": Rule(
        "micro-ops are known before the run", "they lie in DRAM", "give the memory image", ("proof",)
    ),
}
"""Every kind of fault and finding."""


def loads_out() -> str:
    return "memory id OUT cannot be loaded; LOAD fills UOP, WGT, INP, ACC or ACC_8BIT"


def stores_other(memory: str) -> str:
    return f"memory id {memory} cannot be stored; STORE reads OUT only"


def loads_narrow() -> str:
    return "the hardware does not decode ACC_8BIT; load i32 into ACC"


def multiplies() -> str:
    return "the hardware has no MUL; simulators only execute it"


def no_such_queue(unit: str) -> str:
    """`unit` is load or store."""
    side, bits = ("previous", "pop_prev and push_prev") if unit == "load" else ("next", "pop_next and push_next")
    return f"the {unit} unit has no {side} unit; {bits} must be 0"


def has_pads() -> str:
    return "a STORE has no pads; all four must be 0"


def beyond_sram(end: int, capacity: int) -> str:
    return f"the block ends at SRAM element {end}; the memory holds {capacity}"


def fills_memory(memory: str, longest: int) -> str:
    """Of a LOAD of a whole memory that the hardware may end early; `longest` is one that it does not."""
    return (
        f"the LOAD fills {memory.upper()}, and all its beats can be outstanding: the counter of beats in flight wraps, "
        f"and the LOAD may end early; {longest} elements at once are safe"
    )


def beyond_micro_ops(end: int, capacity: int) -> str:
    """Of an instruction that executes micro-ops up to `end`, exclusive."""
    return f"micro-ops end at {end}; the UOP memory holds {capacity}"


def beyond_built_micro_ops(end: int) -> str:
    """Of an instruction that loads or executes micro-ops up to `end`, exclusive."""
    return (
        f"micro-ops end at {end}; the hardware's UOP memory holds {HARDWARE_MICRO_OPS}, whatever the configuration says"
    )


def no_trips() -> str:
    return f"a loop or the micro-op range is empty; the hardware would run {EMPTY_LOOP_TRIPS} trips"


def no_rows() -> str:
    return "y_size is 0 and x_size is not; the hardware never finishes such a LOAD, pads alone cannot be loaded"


def shift_bounds(*, hls: bool) -> tuple[int, int]:
    """The immediate amounts that the hardware shifts by as simulators do; of the HLS design, 5 bits with a sign."""
    return HLS_SHIFTS if hls else (-MAX_SHIFT, MAX_SHIFT)


def shift_too_far(amount: int, *, hls: bool) -> str:
    low, high = shift_bounds(hls=hls)
    what = "the HLS design takes the low 5 bits for a signed number" if hls else "the hardware shifts by the low 5 bits"
    return f"shift by {amount}; {what}, so {low} to {high}"


def shift_range(negative: bool, *, hls: bool) -> tuple[int, int]:
    """The tensor shift amounts on which hardware and simulators agree; `negative` is the imm field's sign."""
    if hls:
        return HLS_SHIFTS
    return (-MAX_SHIFT, 0) if negative else (0, MAX_SHIFT)


def unread_pads() -> str:
    """Of a LOAD of weights, or one of nothing, on the HLS design."""
    return (
        "the HLS design pads no weights, and writes the pads of an instruction that loads nothing; all four must be 0"
    )


def unread_rows() -> str:
    return "the HLS design loads one row of micro-ops, whatever y_size says; load each row by itself"


def beyond_index(operand: str, index: int, memory: str, capacity: int) -> str:
    return f"{operand} reaches index {index}; {memory.upper()} holds {capacity} elements, and the hardware wraps around"


def reads_just_written(tile: int) -> str:
    return (
        f"a tile operation reads ACC tile {tile}, which the one right before it writes; the hardware needs another "
        "one between the two"
    )


def source_differs() -> str:
    return "it has an immediate and src differs from dst; the hardware reads src, simulators dst: make them equal"


def not_computed(tiles: str) -> str:
    """`tiles` are `ACC tile 3`, or several."""
    return f"stores {tiles}, which no GEMM or ALU wrote after a load or reset; an ALU instruction must pass over first"


def never_written(what: str) -> str:
    """`what` is `ACC element 3`, or several."""
    return f"reads {what}, which nothing before it has written"


def amounts(low: int, high: int) -> str:
    """Of tensor shift amounts, in the range of `shift_range`."""
    return f"the hardware takes amounts from {low} to {high} here"


def no_finish() -> str:
    return "the stream has no FINISH; it must be the last instruction, or the run never ends"


def follows_finish(finish: int) -> str:
    """Of what stands behind the FINISH at that place of the stream."""
    return f"stands after the FINISH at {finish}, which must be last and there only once"


def tokens_kept(queue: str, left: int) -> str:
    return (
        f"queue {queue} keeps {left} token{'s' * (left > 1)} after FINISH; a finished program must leave every queue "
        "empty"
    )


def too_many_tokens(queue: str, held: int) -> str:
    return f"queue {queue} can hold {held} tokens at once; the hardware counts to {MAX_TOKENS} and loses the rest"


def fetch_stops(where: str, depth: int) -> str:
    """`where` is the instruction that cannot be fetched, `depth` that of the configuration's queues."""
    return f"fetch in order stops at {where}: the queue of its unit is full, at {depth} instructions"
