"""Micro-ops: 32-bit little-endian words of three indices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import DecodeError, EncodingError
from vtac.targets.vta.isa.fields import MICRO_OP_BYTES, micro_op_layout
from vtac.targets.vta.isa.instructions import MicroOp


def encode_micro_ops(ops: Sequence[MicroOp] | NDArray[np.int64], config: VTAConfig) -> bytes:
    """Micro-ops, records or an array of shape (n, 3), as bytes, 4 each.

    Raises `EncodingError` naming position, field, value and limit.
    """
    fields = micro_op_layout(config).fields
    table: NDArray[np.int64] = np.asarray(ops, dtype=np.int64).reshape(-1, len(fields))
    bad = (table < 0) | (table > [field.maximum for field in fields])
    if bad.any():
        position = int(bad.any(axis=1).argmax())
        number = int(bad[position].argmax())
        field = fields[number]
        raise EncodingError(
            f"cannot encode micro-op {position}: {field.name} is {table[position, number]}; "
            f"it has {field.width} bits, an integer from 0 to {field.maximum} is required",
            position,
            of_micro_op=True,
        )
    return (table << [field.low for field in fields]).sum(axis=1).astype(f"<u{MICRO_OP_BYTES}").tobytes()


def micro_op_indices(words: NDArray[np.uint32], config: VTAConfig) -> NDArray[np.int64]:
    """The indices in micro-op words of shape (n,): shape (n, 3), columns dst, src, wgt."""
    columns = [
        (words.astype(np.int64) >> field.low) & ((1 << field.width) - 1) for field in micro_op_layout(config).fields
    ]
    return np.stack(columns, axis=1)


def decode_micro_op_array(data: bytes, config: VTAConfig) -> NDArray[np.int64]:
    """The micro-ops of `data` as an array of shape (n, 3), columns dst, src, wgt.

    Raises `DecodeError` for a length that is no multiple of 4.
    """
    count, rest = divmod(len(data), MICRO_OP_BYTES)
    if rest:
        raise DecodeError(
            f"the micro-ops have {len(data)} bytes; their length must be a multiple of {MICRO_OP_BYTES}: "
            "the file may be truncated",
            count,
            "length",
        )
    return micro_op_indices(np.frombuffer(data, dtype="<u4"), config)


def decode_micro_ops(data: bytes, config: VTAConfig) -> list[MicroOp]:
    """The micro-ops of `data`. Raises `DecodeError` for a length that is no multiple of 4."""
    return [MicroOp(dst, src, wgt) for dst, src, wgt in decode_micro_op_array(data, config).tolist()]
