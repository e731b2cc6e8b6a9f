"""SSA dominance: every value is defined before each of its uses, on every path to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp, UnregisteredOp
from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.traits import IsolatedFromAbove


@dataclass(frozen=True)
class DominanceViolation:
    """One operand whose definition does not dominate its use.

    `reason` says what was found, `definition` is the operation that defines the value,
    or the one that holds the block of which it is an argument (None for a detached block).
    """

    user: Operation
    operand_index: int
    reason: str
    definition: Operation | None


def defines_before_use(root: Operation) -> bool:
    """Whether every operand under `root` is defined before its use, in a block that holds the use.

    Nor is it defined outside of an operation that is isolated from above. That is all there is to dominance
    where regions have one block. Where it does not hold, `dominance_violations` tells whether control flow,
    or a graph region, allows it nonetheless.
    """
    return all(_defines_before_use(region, set()) for region in root.regions)


def _defines_before_use(region: Region, visible: set[SSAValue]) -> bool:
    block = region.first_block
    while block is not None:
        here: list[SSAValue] = list(block.args)
        visible.update(here)
        op = block.first_op
        while op is not None:
            if not visible.issuperset(op.operands):
                return False
            for inner in op.regions:
                isolated = op.has_trait(IsolatedFromAbove, value_if_unregistered=False)
                if not _defines_before_use(inner, set() if isolated else visible):
                    return False
            here += op.results
            visible.update(op.results)
            op = op.next_op
        visible.difference_update(here)
        block = block.next_block
    return True


def dominance_violations(root: Operation) -> Iterator[DominanceViolation]:
    """Yields every operand under `root` that its definition does not dominate, in program order.

    Modules and unregistered operations hold graph regions, in which order is free, as in MLIR;
    uses in unreachable blocks are not checked.
    """
    checker = _Checker()
    for user in root.walk():
        for index, operand in enumerate(user.operands):
            reason = checker.violation(operand, user)
            if reason:
                yield DominanceViolation(user, index, reason, _defining_operation(operand))


def _defining_operation(value: SSAValue) -> Operation | None:
    if not isinstance(value, OpResult | BlockArgument):
        return None
    owner = value.owner
    return owner.parent_op() if isinstance(owner, Block) else owner


@dataclass
class _Checker:
    """Remembers operation positions and block dominance for one walk over unchanging IR."""

    _positions: dict[Block, dict[Operation, int]] = field(default_factory=dict[Block, dict[Operation, int]])
    _regions: dict[Region, _RegionDominance] = field(default_factory=dict[Region, "_RegionDominance"])

    def violation(self, value: SSAValue, user: Operation) -> str:
        """Returns why `value` does not dominate its use by `user`, or an empty string."""
        if not isinstance(value, OpResult | BlockArgument):
            return "nothing defines it where it could be used here"
        owner = value.owner
        home = owner if isinstance(owner, Block) else owner.parent
        if home is None or home.parent is None:
            return "its definition is not part of the program"
        region = home.parent
        ancestor = _ancestor_in_region(user, region)
        if ancestor is None:
            return "it is defined in a region that does not enclose this use"
        if _is_graph_region(region):
            return ""
        used_in = ancestor.parent
        if used_in is home:
            return self._violation_in_block(value, ancestor, user, home)
        if used_in is None or self._dominance(region).block_dominates(home, used_in):
            return ""
        return "it is defined in a block that does not dominate this one"

    def _violation_in_block(self, value: SSAValue, ancestor: Operation, user: Operation, block: Block) -> str:
        if not isinstance(value, OpResult):
            return ""
        if value.op is ancestor:
            return (
                "it is the operation's own result" if user is ancestor else "it is a result of the enclosing operation"
            )
        positions = self._positions.get(block)
        if positions is None:
            positions = {operation: index for index, operation in enumerate(block.ops)}
            self._positions[block] = positions
        if positions[value.op] < positions[ancestor]:
            return ""
        region = block.parent
        if region is not None and not self._dominance(region).is_reachable(block):
            return ""
        return "it is defined after this use"

    def _dominance(self, region: Region) -> _RegionDominance:
        if region not in self._regions:
            self._regions[region] = _RegionDominance(region)
        return self._regions[region]


def _is_graph_region(region: Region) -> bool:
    return isinstance(region.parent, ModuleOp | UnregisteredOp)


def _ancestor_in_region(operation: Operation, region: Region) -> Operation | None:
    ancestor: Operation | None = operation
    while ancestor is not None and ancestor.parent_region() is not region:
        ancestor = ancestor.parent_op()
    return ancestor


class _RegionDominance:
    """Which blocks of one region are reachable, and each one's immediate dominator.

    Blocks carry their postorder number, so a dominator has a higher number than the blocks it dominates.
    """

    def __init__(self, region: Region) -> None:
        postorder = _postorder(region)
        self._number = {block: number for number, block in enumerate(postorder)}
        self._parents = _immediate_dominators(postorder, self._number)

    def is_reachable(self, block: Block) -> bool:
        return block in self._number

    def block_dominates(self, definition: Block, use: Block) -> bool:
        """Whether every path from the entry to `use` passes through `definition`."""
        if not self.is_reachable(use):
            return True
        if not self.is_reachable(definition):
            return False
        target, current = self._number[definition], self._number[use]
        while current < target:
            current = self._parents[current]
        return current == target


def _postorder(region: Region) -> list[Block]:
    """Returns the blocks reachable from the entry, each after its successors; the entry comes last."""
    entry = region.first_block
    if entry is None:
        return []
    order: list[Block] = []
    seen = {entry}
    path = [(entry, iter(_successors(entry)))]
    while path:
        block, remaining = path[-1]
        following = next(remaining, None)
        if following is None:
            order.append(block)
            path.pop()
        elif following not in seen:
            seen.add(following)
            path.append((following, iter(_successors(following))))
    return order


def _successors(block: Block) -> tuple[Block, ...]:
    return tuple(block.last_op.successors) if block.last_op is not None else ()


def _immediate_dominators(postorder: list[Block], number: dict[Block, int]) -> list[int]:
    """Returns for each postorder number that of the immediate dominator; the entry is its own.

    The iterative scheme of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm".
    """
    predecessors: list[list[int]] = [[] for _ in postorder]
    for source, block in enumerate(postorder):
        for successor in _successors(block):
            predecessors[number[successor]].append(source)
    entry = len(postorder) - 1
    unknown = -1
    parents = [unknown] * entry + [entry]
    changed = True
    while changed:
        changed = False
        for block_number in reversed(range(entry)):
            known = [source for source in predecessors[block_number] if parents[source] != unknown]
            parent = known[0]
            for source in known[1:]:
                parent = _common_dominator(parent, source, parents)
            changed = changed or parents[block_number] != parent
            parents[block_number] = parent
    return parents


def _common_dominator(first: int, second: int, parents: list[int]) -> int:
    while first != second:
        if first < second:
            first = parents[first]
        else:
            second = parents[second]
    return first
