"""Everything about a run that is known before it: faults of fields and tokens, and the order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.machine.static_checks import check_dram_size, check_fields
from vtac.targets.vta.machine.stream import Stream, decode_stream
from vtac.targets.vta.machine.tokens import check_fetch, check_leftover, check_token_limit, find_order


@dataclass(frozen=True, eq=False)
class Prepared:
    """A stream whose fields and tokens are in order; `order` are the positions as they execute, shape (n,)."""

    stream: Stream
    strict: bool
    order: NDArray[np.int64]


@lru_cache(maxsize=32)
def prepare(data: bytes, config: VTAConfig, strict: bool) -> Prepared:
    """The decoded stream and the order in which its instructions execute: its own where the tokens allow it.

    Raises `ExecutionError` for everything that the fields and the tokens tell.
    """
    stream = decode_stream(data, config)
    fault = check_fields(stream, strict)
    if fault is not None:
        raise fault
    order = find_order(stream)
    if strict:
        check_fetch(stream)
        check_token_limit(stream, order)
        check_leftover(stream)
    return Prepared(stream, strict, np.array(order, np.int64))


def _as_bytes(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(cast("bytearray | memoryview[int]", data))
    raise ExecutionError(f"cannot execute a {type(data).__name__}; an instruction stream is bytes", None, "type")


def prepare_run(
    data: bytes, config: VTAConfig, dram_bytes: int, strict: bool, choose: random.Random | None = None
) -> Prepared:
    """`prepare`, for a memory image of `dram_bytes`; with `choose` the order is drawn among all that the tokens allow.

    Raises `ExecutionError` also when the stream touches DRAM behind the image.
    """
    if not isinstance(config, VTAConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExecutionError(f"cannot execute for a {type(config).__name__}; a VTAConfig is required", None, "type")
    prepared = prepare(_as_bytes(data), config, strict)
    check_dram_size(prepared.stream, dram_bytes)
    if choose is None:
        return prepared
    return Prepared(prepared.stream, strict, np.array(find_order(prepared.stream, choose), np.int64))
