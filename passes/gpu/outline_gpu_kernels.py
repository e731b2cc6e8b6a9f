"""outline-gpu-kernels: a function of several kernels -> one function for each, and calls of them.

before: func @f(%x)                       after: func private @f_h(%x)
          %h = matmul %x, %w                       ... matmul, relu
          %r = relu %h                           func private @f_y(%r)
          %y = softmax of %r                       ... softmax
                                                 func @f(%x)
                                                   %r = call @f_h(%x)
                                                   %y = call @f_y(%r)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, ModuleOp, TensorType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.kernel_groups import KernelGroup, kernel_groups
from vtac.analysis.operations.computations import is_computation
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import PackOp, UnpackOp
from vtac.dialects.wmma.attention import AttentionOp
from vtac.dialects.wmma.declared import DYNAMIC_SIZE
from vtac.errors import CompileError
from vtac.rewriting.edits import append
from vtac.rewriting.kernel_outline import WITHIN, Outline, are_equal
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


class CopyReturned(RewritePattern):
    """A returned value that no kernel writes, or one that is returned twice -> a copy of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReturnOp, rewriter: PatternRewriter) -> None:
        returned: set[SSAValue] = set()
        for at, value in enumerate(op.operands):
            source = unreshaped(value)
            owner = source.owner
            if isinstance(owner, Operation) and is_computation(owner) and source not in returned:
                returned.add(source)
                continue
            copies = _copy(value)
            rewriter.insert(copies, InsertPoint.before(op))
            op.operands[at] = copies[-1].results[0]
            rewriter.notify_op_modified(op)


def unreshaped(value: SSAValue) -> SSAValue:
    """The value that some reshapes make another shape of."""
    while isinstance(value.owner, RESHAPES):
        value = value.owner.operands[0]
    return value


def _copy(value: SSAValue) -> list[Operation]:
    kind = cast("TensorType[Attribute]", value.type)
    empty = tensor.EmptyOp([], kind)
    rank = len(shape_of(value))
    body = Block(arg_types=[element_of(value), element_of(value)])
    append(YieldOp(body.args[0]), body)
    maps = ArrayAttr([AffineMapAttr(AffineMap.identity(rank))] * 2)
    kinds = ArrayAttr([IteratorTypeAttr.parallel()] * rank)
    copy = GenericOp([value], [empty.tensor], Region(body), maps, kinds, [kind])
    copy.res[0].name_hint = value.name_hint
    return [empty, copy]


@dataclass
class OutlineGroup(RewritePattern):
    """The last operation of a group -> a call of a function that computes the group, an equal one if there is one."""

    groups: dict[Operation, KernelGroup]
    function: FuncOp
    module: ModuleOp
    made: list[FuncOp] = field(default_factory=list[FuncOp])

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        group = self.groups.get(op)
        if group is None:
            return
        outline = Outline(group)
        name = self._name(op)
        kernel = outline.function(name)
        same = next((one for one in self.made if are_equal(one, kernel)), None)
        if same is None:
            self.made.append(kernel)
            rewriter.insert(kernel, InsertPoint.before(self.function))
        call = CallOp((same or kernel).sym_name.data, outline.operands, [op.results[0].type])
        call.location = op.location
        call.results[0].name_hint = op.results[0].name_hint
        rewriter.replace(op, call)

    def _name(self, op: Operation) -> str:
        taken = {one.sym_name.data for one in self.module.ops if isinstance(one, FuncOp)}
        base = f"{self.function.sym_name.data}_{op.results[0].name_hint or 'kernel'}"
        name, count = base, 1
        while name in taken:
            name, count = f"{base}_{count}", count + 1
        return name


_KNOWN = (ConstantOp, ReturnOp, CallOp, *WITHIN, *RESHAPES)


def _check(function: FuncOp) -> None:
    """Raises `CompileError` for an operation that no kernel computes."""
    for op in function.body.block.ops:
        if not is_computation(op) and not isinstance(op, _KNOWN):
            raise CompileError(
                f"outline-gpu-kernels: op '{op.name}' is not supported; it takes linalg ops, tensor.pad, "
                "tensor.extract_slice, tensor.expand_shape, tensor.collapse_shape, packing.pack, packing.unpack, "
                "tensor.empty, arith.constant and func.return: rewrite it as one of these",
                location_of(op),
            )


def _unread() -> Iterator[type[Operation]]:
    yield from (GenericOp, BroadcastOp, tensor.PadOp, PackOp, UnpackOp, ConstantOp, *WITHIN)


def _stands_apart(function: FuncOp) -> bool:
    """Whether a function needs calls though one kernel computes all of it: of attention, or between reshapes."""
    return any(isinstance(op, (AttentionOp, *RESHAPES)) for op in function.body.block.ops)


@dataclass(frozen=True)
class OutlineGpuKernels(ModulePass):
    """Cut functions on tensors into those that become one CUDA kernel each.

    Which operations stand together depends on the whole function: `vtac.analysis.kernels.kernel_groups` plans it.

    requires: functions on tensors whose operations have one result each (normalize-linalg).
    ensures:  a function that needs several kernels holds calls of private functions, one for each kernel, constants and
              reshapes; every value that it returns is what a kernel computes for that. Equal kernels are one function.
              A function that one kernel computes stays as it is, unless it is attention, or has a dynamic size.
    declines: operations that no kernel computes.
    """

    name = "outline-gpu-kernels"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [one for one in op.ops if isinstance(one, FuncOp) and one.body.blocks]:
            _check(function)
            if len(kernel_groups(function)) < 2 and not DYNAMIC_SIZE.is_on(op) and not _stands_apart(function):
                continue
            rewrite_once(function, CopyReturned())
            groups: dict[Operation, KernelGroup] = {group.root: group for group in kernel_groups(function)}
            rewrite_once(function, OutlineGroup(groups, function, op))
            rewrite_once(function, DropUnread(tuple(_unread())), backwards=True)
