"""What is wrong with one operation: its own rules, its attributes, the structure of its blocks, its symbols."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Block, BlockArgument, Operation, OpResult
from xdsl.traits import IsTerminator, NoTerminator, SymbolTable
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.ir.locations import location_of
from vtac.errors import VtacError
from vtac.text.attributes import attribute_violations, scope_violations
from vtac.text.reports import Report, one_line
from vtac.text.upstream_rules import upstream_problem


def violations(operation: Operation) -> Iterator[str]:
    """One message per rule that an operation breaks; of repeated symbols `repeated_symbols` tells."""
    yield from _successor_violations(operation)
    for region in operation.regions:
        for block in region.blocks:
            yield from block_violations(block, operation, is_only_block=len(region.blocks) == 1)
    problem = upstream_problem(operation) or _own_problem(operation)
    if problem:
        yield f"'{operation.name}' does not verify: {problem}"
    yield from attribute_violations(operation)
    yield from scope_violations(operation)


def _own_problem(operation: Operation) -> str:
    """What an operation's own verifier says; one that an ill-formed operation trips up has said no, too."""
    try:
        operation.verify_()
    except (VerifyException, VtacError, ValueError) as error:
        known = repeated_symbols(operation) or _uses_what_nothing_defines(operation)
        return "" if known else one_line(str(error))
    except Exception as error:  # verifiers of xDSL raise what they like
        return f"its types or attributes do not fit together ({type(error).__name__}: {one_line(str(error))})"
    return ""


def _uses_what_nothing_defines(operation: Operation) -> bool:
    """Whether the operation, or one in it, waits for a value that never came; dominance reports which."""
    return any(
        not isinstance(operand, OpResult | BlockArgument) for inner in operation.walk() for operand in inner.operands
    )


def repeated_symbols(operation: Operation) -> list[Report]:
    """One report for each symbol defined again, where that is done."""
    if not operation.regions or not operation.has_trait(SymbolTable, value_if_unregistered=False):
        return []
    known: set[str] = set()
    reports: list[Report] = []
    for inner in operation.regions[0].ops:
        name = inner.attributes.get("sym_name", inner.properties.get("sym_name"))
        if not isinstance(name, StringAttr):
            continue
        if name.data in known:
            message = f"'{inner.name}' defines @{name.data} again: a symbol has one definition, rename this one"
            reports.append(Report("error", message, location_of(inner)))
        known.add(name.data)
    return reports


def _successor_violations(operation: Operation) -> Iterator[str]:
    block = operation.parent
    if not operation.successors:
        return
    if block is None or block.last_op is not operation:
        yield f"'{operation.name}' has successors and must be the last operation of a block"
        return
    for successor in operation.successors:
        if successor.parent is not block.parent:
            yield f"'{operation.name}' branches to a block of another region"


def block_violations(block: Block, operation: Operation, *, is_only_block: bool) -> Iterator[str]:
    """What a block breaks of the rules on ends of blocks, as a block of `operation`."""
    if is_only_block and operation.has_trait(NoTerminator):
        return
    last = block.last_op
    if last is None:
        yield f"'{operation.name}' has an empty block, which needs at least a terminator"
    elif not last.has_trait(IsTerminator):
        yield f"'{operation.name}' has a block that ends in '{last.name}', which is no terminator"
