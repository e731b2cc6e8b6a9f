"""The bits of instructions and micro-ops, which indices into the memories share with all else that they say."""

from __future__ import annotations

from vtac.dialects.hardware_fields import require_sum

MICRO_OP_BITS = 32
_HALF_WORD_BITS = 64
_HEADER_BITS = 3 + 4 + 1
_ITER_BITS = 14
_IMMEDIATE_BITS = 3 + 1 + 16


def require_instructions(uop: int, inp: int, wgt: int, acc: int, *, src: int) -> None:
    """Holds the bits of an index into each memory, and of a micro-op's `src`, against the words that they stand in.

    Raises `ConfigError` where a micro-op, or a half of GEMM or ALU, has fewer bits than its fields.
    """
    require_sum("a micro-op", MICRO_OP_BITS, {"dst": acc, "src": src, "wgt": wgt})
    require_sum(
        "the low half of GEMM and ALU",
        _HALF_WORD_BITS,
        {"header": _HEADER_BITS, "uop_bgn": uop, "uop_end": uop + 1, "iter_out": _ITER_BITS, "iter_in": _ITER_BITS},
    )
    require_sum(
        "the high half of GEMM",
        _HALF_WORD_BITS,
        {"dst_factors": 2 * acc, "src_factors": 2 * inp, "wgt_factors": 2 * wgt},
    )
    require_sum(
        "the high half of ALU",
        _HALF_WORD_BITS,
        {"dst_factors": 2 * acc, "src_factors": 2 * acc, "opcode_and_immediate": _IMMEDIATE_BITS},
    )
