"""xDSL's `canonicalize` and `cse`, with the same outcome in a part of the time.

Upstream asks what effects an operation has by walking all it holds, at every level of a nest anew, and folds, looks for
dead operations and calls patterns whether there is anything for them or not. Here the effects of each operation are
found once, up to the first that lasts, which settles all that is asked; operations and modules in which nothing can
change are left alone. Nor is an index folded that leaves 64 bits: what computes it is refused where it stands.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.arith import AddiOp, MuliOp, SubiOp
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.dialects.memref import AllocOp, DeallocOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriterListener,
    PatternRewriteWalker,
)
from xdsl.traits import (
    ConstantLike,
    EffectInstance,
    HasCanonicalizationPatternsTrait,
    HasFolder,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    MemoryFreeEffect,
    MemoryWriteEffect,
    RecursiveMemoryEffect,
    SymbolOpInterface,
)
from xdsl.transforms.canonicalize import CanonicalizationRewritePattern, CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import (
    CommonSubexpressionElimination,
    CSEDriver,
    has_other_side_effecting_op_in_between,
)
from xdsl.transforms.dead_code_elimination import region_dce

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.walks import operations_in, operations_under

Effects: TypeAlias = "AbstractSet[EffectInstance] | None"
"""What an operation reads and allocates; None where it does more than that, or nobody knows."""
_LOCAL = frozenset({MemoryEffectKind.READ, MemoryEffectKind.ALLOC})


@dataclass(frozen=True)
class _Kind:
    """What holds for all operations of a class."""

    effects: tuple[MemoryEffect, ...]
    lasts: bool
    """What it does is more than reading and allocating, or unknown, whatever it holds."""
    is_kept: bool
    """It is a terminator or a symbol."""
    is_terminator: bool
    may_fold: bool
    has_patterns: bool

    @property
    def is_inert(self) -> bool:
        """Nothing is ever to do for it: it does not fold, no pattern is for it, and it is never dead."""
        return not self.may_fold and not self.has_patterns and (self.is_kept or self.lasts)

    @staticmethod
    @cache
    def of(kind: type[Operation]) -> _Kind:
        is_terminator = kind.has_trait(IsTerminator, value_if_unregistered=False)
        effects = tuple(kind.get_traits_of_type(MemoryEffect))
        return _Kind(
            effects,
            not effects or any(isinstance(trait, MemoryWriteEffect | MemoryFreeEffect) for trait in effects),
            is_terminator or kind.has_trait(SymbolOpInterface, value_if_unregistered=False),
            is_terminator,
            kind.has_trait(HasFolder, value_if_unregistered=False)
            and not kind.has_trait(ConstantLike, value_if_unregistered=True),
            bool(kind.get_traits_of_type(HasCanonicalizationPatternsTrait)),
        )


@dataclass
class _KnownEffects:
    """The effects of operations, each found once, from those that it holds up to one that lasts."""

    _found: dict[Operation, Effects] = field(default_factory=dict[Operation, "Effects"])

    def of(self, op: Operation) -> Effects:
        kind = _Kind.of(type(op))
        if kind.lasts:
            return None
        if op not in self._found:
            self._found[op] = self._of(op, kind)
        return self._found[op]

    def _of(self, op: Operation, kind: _Kind) -> Effects:
        effects: set[EffectInstance] = set()
        for trait in kind.effects:
            some = self._of_held(op) if isinstance(trait, RecursiveMemoryEffect) else trait.get_effects(op)
            if some is None or any(effect.kind not in _LOCAL for effect in some):
                return None
            effects.update(some)
        return effects

    def _of_held(self, op: Operation) -> Effects:
        effects: set[EffectInstance] = set()
        for region in op.regions:
            for block in region.blocks:
                for held in block.ops:
                    some = self.of(held)
                    if some is None:
                        return None
                    effects.update(some)
        return effects


def is_canonical(root: Operation) -> bool:
    """Whether `canonicalize` surely changes nothing under an operation; False also where it takes the pass to tell."""
    known = _KnownEffects()
    return not any(_may_change(op, known) for op in operations_under(root)[1:])


def _may_change(op: Operation, known: _KnownEffects) -> bool:
    kind = _Kind.of(type(op))
    if _has_branches(op):
        return True
    if type(op) is AllocOp:
        return all(type(use.operation) is DeallocOp for use in op.memref.uses)
    if kind.may_fold or kind.has_patterns:
        return True
    if kind.is_kept or any(result.first_use is not None for result in op.results):
        return False
    return known.of(op) is not None


def _has_branches(op: Operation) -> bool:
    return any(region.first_block is not region.last_block for region in op.regions)


class Canonicalize(CanonicalizePass):
    """xDSL's pass, where it may change anything."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not is_canonical(op):
            applier = _Applier([CanonicalizationRewritePattern()], ctx=ctx, folding_enabled=True, dce_enabled=False)
            _Walker(applier, post_walk_func=applier.remove_dead).rewrite_module(op)


class _Walker(PatternRewriteWalker):
    """Looks at no operations for which there is never anything to do."""

    def _populate_worklist(self, op: Operation | Region | Block) -> None:
        if not isinstance(op, Region):
            super()._populate_worklist(op)
            return
        for found in reversed(operations_in(op)):
            if not _Kind.of(type(found)).is_inert:
                self._worklist.push(found)


@dataclass(eq=False, repr=False)
class _Applier(GreedyRewritePatternApplier):
    """Looks at operations for which there is anything to do."""

    _effects: _KnownEffects = field(default_factory=_KnownEffects, kw_only=True)

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        kind = _Kind.of(type(op))
        if self._is_trivially_dead(op, kind):
            rewriter.erase(op)
        elif (kind.may_fold or kind.has_patterns) and not _overflows(op):
            super().match_and_rewrite(op, rewriter)
        if rewriter.has_done_action:
            self._effects = _KnownEffects()

    def remove_dead(self, region: Region, listener: PatternRewriterListener) -> bool:
        """xDSL's `region_dce`, where anything is dead."""
        self._effects = _KnownEffects()
        held = operations_in(region)
        has_dead = any(_has_branches(op) or self._is_trivially_dead(op, _Kind.of(type(op))) for op in held)
        return has_dead and region_dce(region, listener)

    def _is_trivially_dead(self, op: Operation, kind: _Kind) -> bool:
        if kind.is_kept or any(result.first_use is not None for result in op.results):
            return False
        effects = self._effects.of(op)
        return effects is not None and _is_local(op, effects)


_INDEX_ARITHMETIC: dict[type[Operation], Callable[[int, int], int]] = {
    AddiOp: operator.add,
    SubiOp: operator.sub,
    MuliOp: operator.mul,
}


def _overflows(op: Operation) -> bool:
    """Whether an index of two constants leaves 64 bits: xDSL folds it to a number that no index is."""
    if type(op) not in _INDEX_ARITHMETIC or not isinstance(op.results[0].type, IndexType):
        return False
    left, right = map(number_of, op.operands)
    if left is None or right is None:
        return False
    return not -(1 << 63) <= _INDEX_ARITHMETIC[type(op)](left, right) < 1 << 63


class EliminateCommonSubexpressions(CommonSubexpressionElimination):
    """xDSL's pass, which asks for the effects of each operation once."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        _Driver().simplify(op)


@dataclass
class _Driver(CSEDriver):
    _effects: _KnownEffects = field(default_factory=_KnownEffects)

    def _simplify_operation(self, op: Operation) -> None:
        kind = _Kind.of(type(op))
        if kind.is_terminator:
            return
        effects = self._effects.of(op)
        if effects is None:
            return
        if not kind.is_kept and all(result.first_use is None for result in op.results) and _is_local(op, effects):
            self._mark_erasure(op)
            return
        if any(len(region.blocks) > 1 for region in op.regions):
            return
        if not all(effect.kind is MemoryEffectKind.READ for effect in effects):
            return
        existing = self._known_ops.get(op)
        if existing is not None and (not effects or self._is_unchanged(existing, op)):
            self._replace_and_delete(op, existing)
            return
        self._known_ops[op] = op

    def _is_unchanged(self, existing: Operation, op: Operation) -> bool:
        """Whether nothing in between writes what both read."""
        return op.parent_block() is existing.parent_block() and not has_other_side_effecting_op_in_between(existing, op)


def _is_local(op: Operation, effects: AbstractSet[EffectInstance]) -> bool:
    """Whether an operation has no effects but on its results: what it reads, and buffers of its own."""
    return all(
        effect.kind is MemoryEffectKind.READ
        or (
            effect.kind is MemoryEffectKind.ALLOC
            and isinstance(effect.value, SSAValue)
            and op.is_ancestor(effect.value.owner)
        )
        for effect in effects
    )
