"""What one pass has found out about a block, for the next one: it counts as long as the block is as it was.

Whether it is says a look at every operation, operand, type and attribute, which takes a fraction of an analysis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from xdsl.context import Context
from xdsl.ir import Block

from vtac.analysis.ir.walks import operations_in_block

_T = TypeVar("_T")
_State = list[object]


@dataclass
class KeptFacts:
    """The latest answer of each analysis of a block, and the state of the block that it is about."""

    _known: dict[object, tuple[Block, _State, object]] = field(
        default_factory=dict[object, "tuple[Block, _State, object]"]
    )

    def of(self, analysis: Callable[[Block], _T], block: Block) -> _T:
        """What an analysis, which changes nothing and depends on the block alone, says of a block."""
        state = _state_of(block)
        known = self._known.get(analysis)
        if known is None or known[0] is not block or known[1] != state:
            known = self._known[analysis] = (block, state, analysis(block))
        return cast(_T, known[2])


@dataclass
class FactsContext(Context):
    """A context in which passes find what those before have found out."""

    facts: KeptFacts = field(default_factory=KeptFacts)


def facts_of(context: Context) -> KeptFacts:
    """The facts of a context, or none."""
    return context.facts if isinstance(context, FactsContext) else KeptFacts()


def _state_of(block: Block) -> _State:
    """Equal for a block that is as it was: the same operations on the same values, with equal types and attributes."""
    return [
        (op, *op.operands, *[result.type for result in op.results], *op.properties.values(), *op.attributes.items())
        for op in operations_in_block(block)
    ]
