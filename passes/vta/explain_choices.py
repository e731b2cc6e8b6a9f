"""explain-choices: what the host does, and why a program is several streams, is said in full where reports look for it.

before: %y = packing.host "'math.exp' cannot run on the VTA: ..."     the reason alone
after:  %y = packing.host "..." {packing.choice = ["host: ... (net.mlir:7:8, 640 elements); quantise the model: ..."]}
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.dialects.packing import HostOp
from vtac.dialects.packing.declared import CHOICE, CONTRACTIONS, SUMMARY, Contraction, choices_of
from vtac.partition.host_work import breaks_in, described, host_counts, remedy
from vtac.rewriting.choices import placed_choices
from vtac.rewriting.walker import rewrite_once


@dataclass
class ExplainOperation(RewritePattern):
    """A host operation that computes, or for which a stream ends, says where it stands and what would avoid it."""

    breaks: Mapping[Operation, Sequence[str]]
    macs: int

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        texts = [*_explained(op, self.macs), *self.breaks.get(op, ())]
        if not texts or not isinstance(op.parent_op(), FuncOp):
            return
        CHOICE.set(op, texts)
        rewriter.notify_op_modified(op)


def _explained(op: Operation, macs: int) -> list[str]:
    """What is said of an operation already, with its place and size."""
    if isinstance(op, HostOp):
        return [f"host: {op.reason.data} ({described(op, macs)}); {remedy(op)}"]
    if isinstance(op, CallOp):
        return placed_choices(op)
    return [f"{said} ({described(op, macs)}); {remedy(op)}" for said in choices_of(op)]


def _summary(function: FuncOp, written: Sequence[Contraction]) -> dict[str, int]:
    """What of the contractions as written does not stand among the host's operations, by place and else by size."""
    on_host = host_counts(function)
    places = {count.location for count in on_host if count.location}
    sizes = Counter(count.macs for count in on_host if not count.location)
    left: list[Contraction] = []
    for location, macs, is_float in written:
        if location in places:
            continue
        if not location and sizes[macs] > 0:
            sizes[macs] -= 1
            continue
        left.append((location, macs, is_float))
    if not any(isinstance(op, CallOp) for op in function.body.block.ops):
        left = []
    return {
        "contractions": len(written),
        "contractions_on_vta": len(left),
        "macs": sum(macs for _, macs, _ in written),
        "macs_on_vta": sum(macs for _, macs, _ in left),
        "float_contractions": sum(is_float for _, _, is_float in written),
    }


@dataclass(frozen=True)
class ExplainChoices(ModulePass):
    """Complete the choices of host functions, and count what of them the VTA computes.

    Where streams end is a plan of the whole host function (`breaks_in`).

    requires: host functions as group-device-calls leaves them; `packing.contractions`, as count-contractions sets it.
    ensures:  `packing.choice` on every host segment, and on every operation for which one stream ends and another
              begins: reason, location, multiplications, elements or bytes, and a remedy; `packing.summary` on the
              function, in place of `packing.contractions`.
    declines: nothing.
    """

    name = "explain-choices"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            written = CONTRACTIONS.remove(function)
            if written is None:
                continue
            breaks: defaultdict[Operation, list[str]] = defaultdict(list)
            for found in breaks_in(function):
                breaks[found.ops[0]].append(str(found))
            rewrite_once(function, ExplainOperation(breaks, sum(macs for _, macs, _ in written)))
            SUMMARY.set(function, _summary(function, written))
