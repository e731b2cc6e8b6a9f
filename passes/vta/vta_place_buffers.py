"""vta-place-buffers: give every on-chip buffer its address, or report the overflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.nests.nest import buffer_name
from vtac.analysis.vta.sram_plan import plan_addresses
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.rewriting.edits import stand_for
from vtac.rewriting.index_values import apply_map
from vtac.rewriting.walker import rewrite_once


@dataclass
class ResolveAddresses(RewritePattern):
    """A vta op works on addresses of the memory, no longer on indices into buffers."""

    addresses: Mapping[SSAValue, int]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: KernelOp | Load2DOp | Store2DOp, rewriter: PatternRewriter) -> None:
        if isinstance(op, KernelOp):
            self._resolve_kernel(op, rewriter)
        elif op.on_chip is not None:
            self._resolve_transfer(op, self.addresses[op.on_chip], rewriter)

    def _resolve_kernel(self, op: KernelOp, rewriter: PatternRewriter) -> None:
        if not op.buffers:
            return
        old = op.indices.data
        # A reset has no operands: what stands in their place in the encoding stays 0.
        moved = 1 if op.properties.get("reset") is not None else len(old.results)
        results = [
            result + self.addresses[buffer] if position < moved and self.addresses[buffer] else result
            for position, (buffer, result) in enumerate(zip(op.buffers, old.results, strict=True))
        ]
        op.indices = AffineMapAttr(AffineMap(old.num_dims, old.num_symbols, tuple(results)))
        op.operands = list(op.captures)
        op.set_segments(len(op.operands))
        rewriter.notify_op_modified(op)

    def _resolve_transfer(self, op: Load2DOp | Store2DOp, address: int, rewriter: PatternRewriter) -> None:
        amounts = op.amounts()
        field = op.FIELDS.index("sram")
        place = amounts[field]
        if isinstance(place, int):
            amounts[field] = place + address
        elif address:
            sum_of = AffineMap(1, 0, (AffineExpr.dimension(0) + address,))
            apply = apply_map([place], sum_of)
            rewriter.insert(apply)
            amounts[field] = apply.result
        bare = type(op).build_from(op.memory.data, op.buffer, None, amounts)
        stand_for(bare, op)
        rewriter.replace(op, bare, [])


@dataclass
class DropPlaced(RewritePattern):
    """An allocation that has an address is gone."""

    addresses: Mapping[SSAValue, int]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        if op.memref in self.addresses:
            rewriter.erase(op)


def _check_users(buffer: SSAValue) -> None:
    """Raises `CompileError` for an on-chip buffer that another op than the vta dialect's uses."""
    for use in buffer.uses:
        if not isinstance(use.operation, KernelOp | Load2DOp | Store2DOp):
            raise CompileError(
                f"vta-place-buffers: on-chip buffer '{buffer_name(buffer)}' is used by '{use.operation.name}'; "
                "run the passes to the vta dialect first (lower-to-vta{phase=threads})",
                location_of(use.operation),
            )


def _check_allocated(function: FuncOp, addresses: Mapping[SSAValue, int]) -> None:
    """Raises `CompileError` for a vta op on an on-chip buffer that has no address, since nothing allocates it."""
    for op in operations_under(function):
        for buffer in _on_chip_operands(op):
            if buffer not in addresses:
                raise CompileError(
                    f"vta-place-buffers: '{op.name}' uses on-chip buffer '{buffer_name(buffer)}', which function "
                    f"'{function.sym_name.data}' does not allocate; only a buffer of a memref.alloc in the function "
                    "gets an address",
                    location_of(op),
                )


def _on_chip_operands(op: Operation) -> tuple[SSAValue, ...]:
    if isinstance(op, KernelOp):
        return tuple(op.buffers)
    return (op.on_chip,) if isinstance(op, Load2DOp | Store2DOp) and op.on_chip is not None else ()


@dataclass(frozen=True)
class VtaPlaceBuffers(ModulePass):
    """Replace on-chip buffers by SRAM addresses.

    Addresses are a plan of the whole function: buffers that are never live together share
    space, unless they have copies, whose threads or turns overlap in time.

    requires: only vta ops use on-chip buffers; virtual threads injected.
    ensures:  no on-chip allocation is left; addresses count elements of the memory.
    declines: more than a memory holds, with a report of every live buffer; a buffer that blocks
              use still, or that the function does not allocate.
    """

    name = "vta-place-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        addresses: dict[SSAValue, int] = {}
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                addresses |= plan_addresses(function, config_of(op))
                _check_allocated(function, addresses)
        for buffer in addresses:
            _check_users(buffer)
        rewrite_once(op, ResolveAddresses(addresses))
        rewrite_once(op, DropPlaced(addresses))
