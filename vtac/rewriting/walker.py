"""The driver of pattern rewrites: a refusal stays one message, and no rewrite goes on for ever.

xDSL's walker prints the whole module into every exception that a pattern raises; ours carry
their location, and are raised as they are. It has no cap on iterations either: patterns that never
come to rest are reported by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from inspect import getclosurevars
from types import UnionType
from typing import cast, get_args

from xdsl.ir import Block, Operation, Region
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriterListener,
    PatternRewriteWalker,
    RewritePattern,
)
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_in, operations_under

MOST_REWRITES = 1_000_000
"""Rewrites after which patterns are taken to make work for each other without end."""


class EndlessRewriteError(RuntimeError):
    """Patterns that do not come to rest: a defect of the patterns, not of the program."""


class PatternOfKinds(RewritePattern):
    """A pattern that looks at operations of the kinds it is made for, and at no others."""

    kinds: tuple[type[Operation], ...]


class _Rewriter(PatternRewriter):
    """Inserts before the operation that is looked at, a place which is made where something is inserted there."""

    def __init__(self, listener: PatternRewriterListener) -> None:
        PatternRewriterListener.__init__(self)
        self.extend_from_listener(listener)

    def look_at(self, op: Operation) -> None:
        """Begin with an operation, to which nothing is done yet."""
        self._current_operation = op
        self._point: InsertPoint | None = None
        self._name_hint = None
        self.has_done_action = False

    @property
    def insertion_point(self) -> InsertPoint:
        """Where `insert` inserts what it is told no other place of."""
        if self._point is None and self._current_operation is not None:
            self._point = InsertPoint.before(self._current_operation)
        if self._point is None:
            raise ValueError("the rewriter looks at no operation")
        return self._point

    @insertion_point.setter
    def insertion_point(self, point: InsertPoint) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._point = point


class _Patterns:
    """Patterns in the order in which they are tried, by the kinds of operations that they look at."""

    def __init__(self, patterns: Sequence[RewritePattern]) -> None:
        self._patterns = [(pattern, _kinds_looked_at(pattern)) for pattern in patterns]
        self._by_kind: dict[type[Operation], list[RewritePattern]] = {}

    def of(self, op: Operation) -> list[RewritePattern]:
        """Those that look at an operation."""
        kind = type(op)
        found = self._by_kind.get(kind)
        if found is None:
            found = [pattern for pattern, kinds in self._patterns if _is_one_of(kind, kinds)]
            self._by_kind[kind] = found
        return found


def _sweep(region: Region, patterns: _Patterns, *, inside_first: bool, backwards: bool) -> bool:
    """Show each operation that is in a region now to its patterns, but those that are removed: the first wins."""
    in_order = operations_in(region, inside_first=inside_first != backwards)
    found = [op for op in (reversed(in_order) if backwards else in_order) if patterns.of(op)]
    removed: set[Operation] = set()
    has_acted = False

    def note_removal(op: Operation) -> None:
        removed.update(operations_under(op))

    rewriter = _Rewriter(PatternRewriterListener(operation_removal_handler=[note_removal]))
    for op in found:
        if removed and op in removed:
            continue
        rewriter.look_at(op)
        for pattern in patterns.of(op):
            pattern.match_and_rewrite(op, rewriter)
            if rewriter.has_done_action:
                has_acted = True
                break
    return has_acted


class _Walker(PatternRewriteWalker):
    """Shows each operation, and what is made of it, to the patterns for its kind: the first that acts wins."""

    def __init__(self, patterns: Sequence[RewritePattern], *, inside_first: bool, backwards: bool, most: int) -> None:
        super().__init__(
            GreedyRewritePatternApplier(list(patterns)), walk_regions_first=inside_first, walk_reverse=backwards
        )
        self._patterns = _Patterns(patterns)
        self._counts: Counter[str] = Counter()
        self._most = most

    def rewrite_region_once(self, region: Region) -> bool:
        """What `rewrite_region` does, without looking once more at all operations at the end."""
        self._populate_worklist(region)
        return self._process_worklist(self._get_rewriter_listener())

    def _populate_worklist(self, op: Operation | Region | Block) -> None:
        if not isinstance(op, Region):
            super()._populate_worklist(op)
            return
        # The worklist is a stack: what is pushed last is looked at first, so backwards is the order of the push.
        in_order = operations_in(op, inside_first=self.walk_regions_first != self.walk_reverse)
        for found in in_order if self.walk_reverse else reversed(in_order):
            if self._patterns.of(found):
                self._worklist.push(found)

    def _handle_operation_removal(self, op: Operation) -> None:
        self._add_operands_to_worklist(op.operands)
        for removed in operations_under(op):
            self._worklist.remove(removed)

    def _process_worklist(self, listener: PatternRewriterListener) -> bool:
        has_acted = False
        rewriter = _Rewriter(listener)
        while self._worklist:
            op = self._worklist.pop()
            rewriter.look_at(op)
            for pattern in self._patterns.of(op):
                pattern.match_and_rewrite(op, rewriter)
                if rewriter.has_done_action:
                    has_acted = True
                    self._count(pattern, op)
                    break
        return has_acted

    def _count(self, pattern: RewritePattern, op: Operation) -> None:
        name = type(pattern).__name__
        self._counts[name] += 1
        if self._counts.total() > self._most:
            busiest, times = self._counts.most_common(1)[0]
            raise EndlessRewriteError(
                f"{location_of(op) or op.name}: {busiest} has rewritten {times} times and does not come to rest"
            )


@cache
def _is_one_of(kind: type[Operation], kinds: tuple[type[Operation], ...]) -> bool:
    return issubclass(kind, kinds)


def _kinds_looked_at(pattern: RewritePattern) -> tuple[type[Operation], ...]:
    return pattern.kinds if isinstance(pattern, PatternOfKinds) else _kinds_of(type(pattern))


@cache
def _kinds_of(pattern: type[RewritePattern]) -> tuple[type[Operation], ...]:
    """The operations that a pattern looks at: those of its `op_type_rewrite_pattern`, which keeps them in a closure."""
    kinds: object = getclosurevars(pattern.match_and_rewrite).nonlocals.get("expected_type", Operation)
    if isinstance(kinds, UnionType):
        return cast("tuple[type[Operation], ...]", get_args(kinds))
    return (kinds,) if isinstance(kinds, type) and issubclass(kinds, Operation) else (Operation,)


def rewrite_once(
    root: Operation, *patterns: RewritePattern, inside_first: bool = False, backwards: bool = False
) -> bool:
    """Try patterns in order on every op under a root as it is now, not on what they make; True when one acted.

    Ops are visited in program order, or last first when `backwards`; an op before what it
    holds, or after it with `inside_first`. Raises the first error of a pattern, as it is.
    """
    known = _Patterns(patterns)
    acted = [_sweep(region, known, inside_first=inside_first, backwards=backwards) for region in root.regions]
    return any(acted)


def rewrite_greedily(
    root: Operation,
    *patterns: RewritePattern,
    inside_first: bool = False,
    backwards: bool = False,
    tells_all: bool = False,
    most: int = MOST_REWRITES,
) -> bool:
    """Try patterns in order on every op under a root and on what they make, until none acts; True when one did.

    Patterns that tell all, every op on which an edit lets one act, are not tried on all of them once more at the end.
    Raises the first error of a pattern, as it is, and `EndlessRewriteError` after `most` rewrites.
    """
    walker = _Walker(patterns, inside_first=inside_first, backwards=backwards, most=most)
    rewrite_region = walker.rewrite_region_once if tells_all else walker.rewrite_region
    acted = [rewrite_region(region) for region in root.regions]
    return any(acted)
