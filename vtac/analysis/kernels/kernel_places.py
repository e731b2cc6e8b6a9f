"""Where in a kernel a value can be worked out: the loops around an operation, the end of the launch's indices."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.builtin import IndexType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.dialects.wmma import RoutineOp, VariableOp
from vtac.errors import CompileError

_ANY = 1 << 31


class OpenValues(KernelValues):
    """Index values over variables of which some are only known by name: what loops carry, and variables of the text."""

    def _made(self, op: Operation | Block) -> Linear | None:
        if isinstance(op, VariableOp | arith.XOrIOp) and isinstance(op.results[0].type, IndexType):
            self.extents[op.results[0]] = _ANY
            return Linear.variable(op.results[0])
        return super()._made(op)

    def _of_loop(self, value: SSAValue) -> Linear | None:
        known = super()._of_loop(value)
        loop = value.owner.parent_op() if isinstance(value.owner, Block) else None
        if known is None and isinstance(loop, scf.ForOp) and isinstance(value.type, IndexType):
            self.extents[value] = _ANY
            return Linear.variable(value)
        return known


def scopes_around(op: Operation) -> list[scf.ForOp | RoutineOp]:
    """The loops that an operation stands in, and the routine, outermost first.

    A routine stands where no loop is around it, and its indices change with each call as a loop's do.
    """
    found: list[scf.ForOp | RoutineOp] = []
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        if isinstance(parent, scf.ForOp | RoutineOp):
            found.append(parent)
        parent = parent.parent_op()
    return found[::-1]


def first_place(op: Operation, variables: Iterable[Hashable]) -> Operation:
    """The operation that what an operation needs of some variables can stand before, in as few loops as they allow."""
    wanted = set(variables)
    needed = [scope for scope in scopes_around(op) if not wanted.isdisjoint(scope.body.block.args)]
    place, parent = op, op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp) and parent not in needed:
        place, parent = parent, parent.parent_op()
    return place


def refuse_routines(kernel: FuncOp, pass_name: str) -> None:
    """Raise `CompileError` for a kernel with routines, where a pass looks at accesses in the place where they run."""
    for op in kernel.walk():
        if isinstance(op, RoutineOp):
            raise CompileError(
                f"kernel '{kernel.sym_name.data}' has a routine, whose accesses run, under other conditions, where it "
                f"is called: run {pass_name} before gpu-outline-copies",
                location_of(op),
            )


def indices_end(kernel: FuncOp, ops: Sequence[Operation]) -> Operation:
    """The first operation of a kernel that comes after all that new ones read, and after the launch's indices."""
    read = {operand.owner for op in ops for operand in op.operands}
    body = list(kernel.body.block.ops)
    last = max(
        (at for at, op in enumerate(body) if op in read or isinstance(op, gpu.BlockIdOp | gpu.ThreadIdOp)), default=-1
    )
    following = body[last + 1]
    while isinstance(following, arith.ConstantOp) and following.next_op is not None:
        following = following.next_op
    return following
