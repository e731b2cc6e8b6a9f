"""Kernels as functions that a program calls: everything in DRAM is an argument, and no unit waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DictionaryAttr, FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp, GetGlobalOp, GlobalOp
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.rewriting.copies import copy_of
from vtac.rewriting.walker import rewrite_once


class DropSynchronisation(RewritePattern):
    """Tokens and the final wait go: the program that calls the kernel orders its instructions by the data."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SyncOp | DepPushOp | DepPopOp, rewriter: PatternRewriter) -> None:
        rewriter.erase(op)


@dataclass
class AllocationToArgument(RewritePattern):
    """A scratch buffer in DRAM becomes the last argument."""

    function: FuncOp

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        block = self.function.body.block
        argument = rewriter.insert_block_argument(block, len(block.args), op.memref.type)
        argument.name_hint = op.memref.name_hint
        rewriter.replace(op, [], [argument])


@dataclass
class GlobalToArgument(RewritePattern):
    """A global becomes the last argument, all references to it the same one."""

    function: FuncOp
    arguments: dict[str, SSAValue] = field(default_factory=dict[str, SSAValue])

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GetGlobalOp, rewriter: PatternRewriter) -> None:
        name = op.name_.string_value()
        if name not in self.arguments:
            block = self.function.body.block
            self.arguments[name] = rewriter.insert_block_argument(block, len(block.args), op.memref.type)
            self.arguments[name].name_hint = name
        rewriter.replace(op, [], [self.arguments[name]])


@dataclass(frozen=True)
class LinkedKernel:
    """A kernel to be called: by position the arguments that are results, and those that are constants."""

    function: FuncOp
    results: frozenset[int]
    constants: Mapping[int, DenseIntOrFPElementsAttr]

    @property
    def kinds(self) -> tuple[Attribute, ...]:
        """The types of the arguments."""
        return tuple(argument.type for argument in self.function.body.block.args)


def linked_kernel(kernel: ModuleOp, *, keep: bool) -> LinkedKernel:
    """The one function of a module at the vta level, ready to be called from a program; a copy of it with `keep`."""
    function = next(op for op in kernel.ops if isinstance(op, FuncOp))
    function = copy_of(function) if keep else function
    contents = {op.sym_name.data: op.initial_value for op in kernel.ops if isinstance(op, GlobalOp)}
    given = len(function.body.block.args)
    marks = function.arg_attrs.data if function.arg_attrs else (DictionaryAttr({}),) * given
    constants: dict[int, Attribute | None] = {
        position: dense
        for position, attributes in enumerate(marks)
        if (dense := CONSTANT.within(attributes)) is not None
    }
    results = frozenset(position for position, attributes in enumerate(marks) if RESULT.within(attributes))
    taken = GlobalToArgument(function)
    rewrite_once(function, DropSynchronisation(), AllocationToArgument(function))
    first = len(function.body.block.args)
    rewrite_once(function, taken)
    constants |= {first + number: contents[name] for number, name in enumerate(taken.arguments)}
    function.function_type = FunctionType.from_lists([argument.type for argument in function.body.block.args], [])
    function.arg_attrs = None
    return LinkedKernel(function, results, cast("dict[int, DenseIntOrFPElementsAttr]", constants))
