"""gpu-hoist-indices: what a loop does not change of an address is worked out in front of it, as a variable.

before: for step                                 after: from = t / 4 * 40 + t % 4 * 8
          for piece                                     for step
            x[t / 4 * 40 + t % 4 * 8                      from_1 = from + step % 4 * 640
              + step % 4 * 640 + piece * 8]               for piece: x[from_1 + piece * 8]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.kernels.carried_roles import slot_names
from vtac.analysis.kernels.gpu_indices import own_accesses
from vtac.analysis.kernels.kernel_places import OpenValues, indices_end, scopes_around
from vtac.analysis.nests.nest import buffer_name
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.wmma import RoutineOp, VariableOp
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.edits import insert_ops, replace_by
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


@dataclass
class Hoisting:
    """The variables of one kernel, by the block they stand in and what they are."""

    kernel: FuncOp
    values: OpenValues
    uses: Counter[Hashable]
    made: dict[tuple[Block, Linear], SSAValue] = field(default_factory=dict[tuple[Block, Linear], SSAValue])
    constants: dict[Linear, int] = field(default_factory=dict[Linear, int])
    inside: dict[SSAValue, scf.ForOp | RoutineOp] = field(default_factory=dict[SSAValue, scf.ForOp | RoutineOp])

    def of_loop(self, atom: Quotient | Remainder, loop: scf.ForOp | RoutineOp, rewriter: PatternRewriter) -> Linear:
        """A quotient or remainder that a loop's iterations use more than once as a variable of the iteration."""
        part, block = Linear.variable(atom), loop.body.block
        known = self.made.get((block, part))
        if known is None:
            made = HostValues(self.values.extents)
            index = made.materialise(made.value(part))
            known = self._insert(made, index, InsertPoint.at_start(block), loop, _name_of_atom(atom), rewriter)
            self.made[block, part] = known
            self.inside[known] = loop
        return Linear.variable(known)

    def variable(
        self, part: Linear, loops: Sequence[scf.ForOp | RoutineOp], level: int, name: str, rewriter: PatternRewriter
    ) -> Linear:
        """A part as a variable in front of the loop at a level; at level 0 where the kernel starts."""
        block = self.kernel.body.block if level == 0 else _block_of(loops[level])
        known = self.made.get((block, part))
        if known is None:
            made = HostValues(self.values.extents)
            index = made.materialise(made.value(part))
            if not made.operations:
                return part
            point = InsertPoint.before(loops[level] if level else indices_end(self.kernel, made.operations))
            known = self._insert(made, index, point, loops[level], name, rewriter)
            self.made[block, part] = known
        return Linear.variable(known)

    def _insert(
        self,
        made: HostValues,
        index: SSAValue,
        point: InsertPoint,
        loop: scf.ForOp | RoutineOp,
        name: str,
        rewriter: PatternRewriter,
    ) -> SSAValue:
        variable = VariableOp(index)
        variable.result.name_hint = name
        for op in (*made.operations, variable):
            op.location = loop.location
        insert_ops([*made.operations, variable], point, rewriter)
        self.values.expression(variable.result)
        return variable.result


def _block_of(loop: scf.ForOp | RoutineOp) -> Block:
    block = loop.parent
    if block is None:
        raise ValueError("the loop stands nowhere")
    return block


@dataclass
class HoistPlace(RewritePattern):
    """A place in memory -> the place from variables that the loops around do not change."""

    hoisting: Hoisting

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ApplyOp, rewriter: PatternRewriter) -> None:
        rest = self.hoisting.values.expression(op.results[0])
        loops = scopes_around(op)
        if rest is None or not loops or any(isinstance(use.operation, VariableOp) for use in op.results[0].uses):
            return
        name = _name_of_place(op)
        whole = rest
        rest = self._with_variables(rest, loops, rewriter)
        for level in range(len(loops)):
            inner: set[Hashable] = {value for loop in loops[level:] for value in loop.body.block.args}
            inner |= {value for value, loop in self.hoisting.inside.items() if loop in loops[level:]}
            inner |= {value for value in rest.variables() if _is_in(value, loops[level])}
            rest = self._hoisted(rest, loops, level, inner, name, rewriter)
        if rest != whole:
            made = HostValues(self.hoisting.values.extents)
            value = made.value(rest)
            if isinstance(value, SSAValue) and not made.operations:
                rewriter.replace(op, [], [value])
            else:
                made.materialise(value)
                replace_by(op, made.operations, rewriter)

    def _with_variables(
        self, rest: Linear, loops: Sequence[scf.ForOp | RoutineOp], rewriter: PatternRewriter
    ) -> Linear:
        for atom, factor in rest.terms.items():
            if not isinstance(atom, Quotient | Remainder) or self.hoisting.uses[atom] < 2:
                continue
            around = [loop for loop in loops if atom.numerator.variables().intersection(loop.body.block.args)]
            if around and not UNROLL.is_on(around[-1]):
                variable = self.hoisting.of_loop(atom, around[-1], rewriter)
                rest = variable * factor + (rest - Linear.variable(atom) * factor)
        return rest

    def _hoisted(
        self,
        rest: Linear,
        loops: Sequence[scf.ForOp | RoutineOp],
        level: int,
        inner: set[Hashable],
        name: str | None,
        rewriter: PatternRewriter,
    ) -> Linear:
        still = {atom: factor for atom, factor in rest.terms.items() if not _variables(atom) & inner}
        if name is not None:
            part = Linear(0, still)
            if level == 0:  # places a constant apart have one variable
                part += self.hoisting.constants.setdefault(part, rest.constant)
            if not _is_worth(part):
                return rest
            return self.hoisting.variable(part, loops, level, name, rewriter) + (rest - part)
        for atom, factor in still.items():
            if isinstance(atom, Quotient | Remainder):
                one = Linear.variable(atom)
                variable = self.hoisting.variable(one, loops, level, _name_of_atom(atom), rewriter)
                rest = variable * factor + (rest - one * factor)
        return rest


@dataclass
class NameSlot(RewritePattern):
    """A variable that chooses among slots of a pipeline is named after that."""

    names: Mapping[SSAValue, str]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: VariableOp, rewriter: PatternRewriter) -> None:
        name = self.names.get(op.result)
        if name is not None and op.result.name_hint != name:
            op.result.name_hint = name
            rewriter.notify_op_modified(op)


def _is_in(variable: Hashable, loop: scf.ForOp | RoutineOp) -> bool:
    """Whether a loop's iterations make a value that stands for a variable."""
    owner = cast(SSAValue, variable).owner if isinstance(variable, SSAValue) else None
    return isinstance(owner, Operation) and loop.is_ancestor(owner)


def _variables(atom: Hashable) -> set[Hashable]:
    return atom.numerator.variables() if isinstance(atom, Quotient | Remainder) else {atom}


def _is_worth(part: Linear) -> bool:
    """Whether a part costs more than one multiplication."""
    return len(part.terms) > 1 or any(isinstance(atom, Quotient | Remainder) for atom in part.terms)


def _name_of_place(op: ApplyOp) -> str | None:
    """A name from what is accessed at a place; None for an index that is no place in memory."""
    for use in op.results[0].uses:
        for access in own_accesses(use.operation):
            if access.place is op.results[0]:
                return f"{buffer_name(access.buffer)}_{'to' if access.writes else 'from'}"
    return None


def _name_of_atom(atom: Quotient | Remainder) -> str:
    """`step_minor` of `step % 3`, `step_middle` of `step / 3 % 3`, `step_major` of `step / 9`."""
    variables = [cast(SSAValue, one) for one in atom.numerator.variables()]
    base = (variables[0].name_hint if len(variables) == 1 else None) or "index"
    if isinstance(atom, Quotient):
        return f"{base}_major"
    nested = any(isinstance(one, Quotient) for one in atom.numerator.terms)
    return f"{base}_{'middle' if nested else 'minor'}"


def _uses(kernel: FuncOp, values: OpenValues) -> Counter[Hashable]:
    """How many indices of a kernel have each quotient and remainder as a term."""
    indices = [values.expression(op.results[0]) for op in kernel.walk() if isinstance(op, ApplyOp)]
    return Counter(atom for index in indices if index is not None for atom in index.terms)


@dataclass(frozen=True)
class GpuHoistIndices(ModulePass):
    """Work out addresses and quotients where the loops that do not change them start.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for, simplified (gpu-simplify-indices).
    ensures:  of a place in memory, all terms that a loop around does not change are one variable in front of it, where
              that saves more than a multiplication; equal parts are one variable. Quotients and remainders in other
              indices are variables of their own.
    declines: nothing; places that come from data stay.
    """

    name = "gpu-hoist-indices"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            values = OpenValues(kernel)
            hoisting = Hoisting(kernel, values, _uses(kernel, values))
            rewrite_once(kernel, HoistPlace(hoisting))
            rewrite_once(kernel, NameSlot(slot_names(hoisting.inside)))
