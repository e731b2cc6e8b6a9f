"""Everything about a run that is known before it: faults of fields and tokens, and the order."""

from __future__ import annotations

import random
from functools import lru_cache

from vtac.dialects.hardware import VTAConfig
from vtac.interpreter.static_checks import check_dram_size, check_fields
from vtac.interpreter.stream import Stream, decode_stream
from vtac.interpreter.tokens import check_fetch, check_leftover, check_token_limit, find_order


@lru_cache(maxsize=32)
def _stream_order(stream: Stream, strict: bool) -> tuple[int, ...]:
    fault = check_fields(stream, strict)
    if fault is not None:
        raise fault
    order = find_order(stream)
    if strict:
        check_fetch(stream)
        check_token_limit(stream, order)
        check_leftover(stream)
    return tuple(order)


def prepare(
    data: bytes, config: VTAConfig, dram_bytes: int, strict: bool, choose: random.Random | None = None
) -> tuple[Stream, tuple[int, ...]]:
    """The decoded stream and the order in which its instructions execute.

    The order is the stream's own where the tokens allow it; with `choose` it is drawn among all
    that the tokens allow. Raises `ExecutionError` for everything that can be known from the fields,
    the tokens and the size of the memory image.
    """
    stream = decode_stream(data, config)
    order = _stream_order(stream, strict)
    check_dram_size(stream, dram_bytes)
    return stream, tuple(find_order(stream, choose)) if choose is not None else order
