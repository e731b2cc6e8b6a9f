"""Attributes of the schedule dialect: marks that directives leave on loops and buffers, names, arguments."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DictionaryAttr
from xdsl.ir import Attribute, Operation

from vtac.dialects.declared import (
    ARGUMENT,
    DICTIONARY,
    ELEMENTS,
    FUNCTION_RESULT,
    MARK,
    TEXT,
    TEXTS,
    Declared,
    declare,
    integer,
    integers,
)

_LOOP = ("schedule.for",)
_STATEMENT = ("linalg.", "tensor.pad", "packing.pack", "packing.unpack")

CALLED = declare(
    Declared(
        "schedule.called",
        TEXT,
        ("schedule.script", "func.func"),
        "what a schedule is called in what is made of it; a scheduled function has that of its script",
    )
)

RESULT = declare(
    Declared("schedule.result", MARK, (ARGUMENT,), "the buffer stands for a tensor that the function returns")
)

CONSTANT = declare(
    Declared("schedule.constant", ELEMENTS, (ARGUMENT,), "the contents of a buffer that no caller passes")
)

ANNOTATIONS = declare(
    Declared(
        "schedule.annotations",
        DICTIONARY,
        ("schedule.for", "schedule.block", "scf.for"),
        "notes of the user's own, by key",
        "annotate",
    )
)

DMA_COPY = declare(
    Declared("dma_copy", MARK, _LOOP, "the DMA engine moves what the loop copies", "dma_copy", maps_loop=True)
)

ALU = declare(Declared("alu", MARK, _LOOP, "the vector ALU computes the loop's block", "alu", maps_loop=True))

TENSORIZE = declare(
    Declared("tensorize", TEXT, _LOOP, "the intrinsic that computes all the loop holds", "tensorize", maps_loop=True)
)

PIPELINE = declare(
    Declared("pipeline", integer(2), _LOOP, "stages of a loop whose copies run ahead of their use", "pipeline")
)

ASYNC = declare(
    Declared(
        "pipeline_async",
        TEXT,
        _LOOP,
        'what copies ahead of a pipelined loop are: "tma", or "cp.async" where it is absent',
    )
)

SPECIALIZE = declare(
    Declared(
        "specialize",
        integers(2, "an array of two positive numbers of warps,", lambda given: min(given) >= 1),
        _LOOP,
        "warps of a block that only ask for the loop's copies, and those that use them",
        "specialize",
    )
)

CLUSTER = declare(
    Declared(
        "cluster", integer(2), _LOOP, "so many blocks of the grid, neighbours along the loop, are a cluster", "cluster"
    )
)

UNROLL = declare(
    Declared("unroll", MARK, ("schedule.for", "scf.for"), "the loop's body is repeated instead of looped", "unroll")
)


NAME = declare(
    Declared(
        "schedule.name",
        TEXT,
        (*_STATEMENT, "memref.alloc", ARGUMENT, FUNCTION_RESULT),
        "what schedules call the operation's block, or the buffer; SSA names stand in where it is absent",
    )
)

LOOPS = declare(
    Declared("schedule.loops", TEXTS, _STATEMENT, "what schedules call the loops around the operation's block")
)


def _is_pitch(values: Sequence[int]) -> bool:
    dimension, factor, offset = values
    return dimension >= 0 and 0 <= offset < factor


STORAGE_ALIGN = declare(
    Declared(
        "storage_align",
        integers(3, "an array of dimension, factor and offset, 0 <= offset < factor,", _is_pitch),
        ("memref.alloc",),
        "the stride of a buffer's dimension is the offset modulo the factor, in elements",
        "storage_align",
    )
)


def annotate(op: Operation, key: str, value: Attribute) -> None:
    """Add a note of the user's own to a loop or block."""
    notes = ANNOTATIONS.get(op)
    ANNOTATIONS.set(op, DictionaryAttr({**(notes.data if notes is not None else {}), key: value}))


def marks_of(op: Operation) -> list[str]:
    """What directives left on a loop or block, annotations by their keys."""
    notes = ANNOTATIONS.get(op)
    return [*(name for name in op.attributes if name != ANNOTATIONS.name), *(notes.data if notes is not None else ())]
