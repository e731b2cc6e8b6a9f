"""Refusals of lookups, and of handles to what is gone: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from directive_programs import chain
from refusals import refuses

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b", "c")


@refuses(CHAIN, "get_block: no block 'd'; blocks here: a, b, c; name one of these")
def test_get_block_of_unknown_name(s: Schedule) -> Callable[[], object]:
    return lambda: s.get_block("d")


@refuses(CHAIN, "get_loop: no loop 'j' around block 'a'; loops there: i0; name one of these")
def test_get_loop_of_unknown_name(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.get_loop(a, "j")


@refuses(CHAIN, "get_buffer: no buffer 'd'; buffers here: x, c, a, b; name one of these")
def test_get_buffer_of_unknown_name(s: Schedule) -> Callable[[], object]:
    return lambda: s.get_buffer("d")


@refuses(
    CHAIN,
    "get_loops: the block of this handle no longer exists; get a new handle with get_block",
)
def test_block_handle_after_inlining(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    s.compute_inline(a)
    return lambda: s.get_loops(a)


@refuses(CHAIN, "set_scope: no buffer 'a'; buffers here: x, c, b; name one of these")
def test_buffer_handle_after_inlining(s: Schedule) -> Callable[[], object]:
    buffer = s.get_buffer("a")
    s.compute_inline(s.get_block("a"))
    return lambda: s.set_scope(buffer, "local")


@refuses(
    CHAIN,
    "unroll: the loop of this handle no longer exists: it was split, fused or moved with its block; "
    "use the handles that directive returned, or get_loops",
)
def test_loop_handle_after_split(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    s.split(i, factor=7)
    return lambda: s.unroll(i)
