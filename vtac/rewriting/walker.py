"""The driver of pattern rewrites: a refusal stays one message, and no rewrite goes on for ever.

xDSL's walker prints the whole module into every exception that a pattern raises; ours carry
their location, so the first one is kept and raised after the walk. It has no cap on
iterations either: patterns that never come to rest are reported by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from inspect import getclosurevars
from types import UnionType
from typing import cast, get_args

from xdsl.ir import Block, Operation, Region
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern

from vtac.analysis.locations import location_of
from vtac.analysis.walks import operations_in

MOST_REWRITES = 1_000_000
"""Rewrites after which patterns are taken to make work for each other without end."""


class EndlessRewriteError(RuntimeError):
    """Patterns that do not come to rest: a defect of the patterns, not of the program."""


class PatternOfKinds(RewritePattern):
    """A pattern that looks at operations of the kinds it is made for, and at no others."""

    kinds: tuple[type[Operation], ...]


class _Walker(PatternRewriteWalker):
    """Starts from the operations of given kinds: no pattern looks at another."""

    def __init__(self, pattern: _UntilStopped, *, recursive: bool, inside_first: bool, backwards: bool) -> None:
        super().__init__(pattern, apply_recursively=recursive, walk_regions_first=inside_first, walk_reverse=backwards)
        self._kinds = _kinds_of_all(pattern.patterns)

    def _populate_worklist(self, op: Operation | Region | Block) -> None:
        if not isinstance(op, Region):
            super()._populate_worklist(op)
            return
        # The worklist is a stack: what is pushed last is looked at first, so backwards is the order of the push.
        in_order = operations_in(op, inside_first=self.walk_regions_first != self.walk_reverse)
        kinds = tuple(kind for kind in set(map(type, in_order)) if issubclass(kind, self._kinds))
        wanted = [found for found in in_order if type(found) in kinds]
        for found in wanted if self.walk_reverse else reversed(wanted):
            self._worklist.push(found)


def _kinds_of_all(patterns: Sequence[RewritePattern]) -> tuple[type[Operation], ...]:
    return tuple({kind for pattern in patterns for kind in (_given_kinds(pattern) or _kinds_of(type(pattern)))})


def _given_kinds(pattern: RewritePattern) -> tuple[type[Operation], ...]:
    return pattern.kinds if isinstance(pattern, PatternOfKinds) else ()


@cache
def _kinds_of(pattern: type[RewritePattern]) -> tuple[type[Operation], ...]:
    """The operations that a pattern looks at: those of its `op_type_rewrite_pattern`, which keeps them in a closure."""
    kinds: object = getclosurevars(pattern.match_and_rewrite).nonlocals.get("expected_type", Operation)
    if isinstance(kinds, UnionType):
        return cast("tuple[type[Operation], ...]", get_args(kinds))
    return (kinds,) if isinstance(kinds, type) and issubclass(kinds, Operation) else (Operation,)


class _UntilStopped(RewritePattern):
    """Patterns, the first that acts on an op wins, which do nothing more once one has raised."""

    def __init__(self, patterns: Sequence[RewritePattern], most: int) -> None:
        self.patterns = patterns
        self.most = most
        self.counts: Counter[str] = Counter()
        self.error: Exception | None = None

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if self.error is not None:
            return
        for pattern in self.patterns:
            try:
                pattern.match_and_rewrite(op, rewriter)
            except Exception as error:
                self.error = error
                return
            if rewriter.has_done_action:
                self._count(type(pattern).__name__, op)
                return

    def _count(self, name: str, op: Operation) -> None:
        self.counts[name] += 1
        if self.counts.total() > self.most:
            busiest, times = self.counts.most_common(1)[0]
            self.error = EndlessRewriteError(
                f"{location_of(op) or op.name}: {busiest} has rewritten {times} times and does not come to rest"
            )


def rewrite_once(
    root: Operation, *patterns: RewritePattern, inside_first: bool = False, backwards: bool = False
) -> bool:
    """Try patterns in order on every op under a root as it is now, not on what they make; True when one acted.

    Ops are visited in program order, or last first when `backwards`; an op before what it
    holds, or after it with `inside_first`. Raises the first error of a pattern, as it is.
    """
    return _walk(root, patterns, recursive=False, inside_first=inside_first, backwards=backwards, most=MOST_REWRITES)


def rewrite_greedily(
    root: Operation,
    *patterns: RewritePattern,
    inside_first: bool = False,
    backwards: bool = False,
    most: int = MOST_REWRITES,
) -> bool:
    """Try patterns in order on every op under a root and on what they make, until none acts; True when one did.

    Raises the first error of a pattern, as it is, and `EndlessRewriteError` after `most` rewrites.
    """
    return _walk(root, patterns, recursive=True, inside_first=inside_first, backwards=backwards, most=most)


def _walk(
    root: Operation,
    patterns: Sequence[RewritePattern],
    *,
    recursive: bool,
    inside_first: bool,
    backwards: bool,
    most: int,
) -> bool:
    guarded = _UntilStopped(patterns, most)
    walker = _Walker(guarded, recursive=recursive, inside_first=inside_first, backwards=backwards)
    changed = [walker.rewrite_region(region) for region in root.regions]
    if guarded.error is not None:
        raise guarded.error
    return any(changed)
