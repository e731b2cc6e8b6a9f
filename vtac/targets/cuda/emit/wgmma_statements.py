"""Statements of warpgroups as CUDA C++: descriptors as values, products, fences and waits as calls."""

from __future__ import annotations

from xdsl.dialects import memref, scf
from xdsl.ir import Operation, SSAValue

from vtac.analysis.kernels.gpu_indices import whole
from vtac.analysis.nests.nest import element_type_of
from vtac.dialects import wgmma
from vtac.dialects.mma import LdmatrixOp
from vtac.dialects.mma.ops import tiles_of
from vtac.dialects.wgmma.ops import matrix_of
from vtac.targets.cuda.emit.expressions import PRODUCT
from vtac.targets.cuda.emit.mma_statements import MmaStatementPrinter
from vtac.targets.cuda.emit.types import element_bytes
from vtac.targets.cuda.emit.wgmma_instructions import (
    COMMIT,
    DESCRIPTOR,
    FENCE,
    PLAIN,
    PROXY_FENCE,
    descriptor_text,
    plain_text,
    product_name,
    product_text,
    wait_name,
    wait_text,
)

_PLAIN_OPS = {wgmma.FenceOp: FENCE, wgmma.CommitGroupOp: COMMIT, wgmma.FenceProxyAsyncOp: PROXY_FENCE}
_SWIZZLE_BITS = 62
_LEFT = 2
"""The place of A's descriptor among the operands of a product."""


class WgmmaStatementPrinter(MmaStatementPrinter):
    """Prints kernels of the wmma, the mma and the wgmma level."""

    def _warp(self, op: Operation, depth: int) -> bool:
        if super()._warp(op, depth):
            return True
        if isinstance(op, wgmma.DescriptorOp):
            self._descriptor(op, depth)
        elif isinstance(op, wgmma.MmaAsyncOp):
            self._product(op, depth)
        elif isinstance(op, wgmma.WaitGroupOp):
            self._wait(op, depth)
        elif isinstance(op, wgmma.FenceOp | wgmma.CommitGroupOp | wgmma.FenceProxyAsyncOp):
            name = _PLAIN_OPS[type(op)]
            self._called[name] = plain_text(name, PLAIN[name])
            self._line(f"{name}();{_reason(op)}", depth)
        else:
            return False
        return True

    def _pragma(self, op: scf.ForOp) -> str:
        """A loop whose products depend on the step, and run on into the next one, stays as it is.

        Of few steps compilers would make a sequence, part it where the condition is settled, and carry the sums from
        part to part in moves, which products that run on have to wait for.
        """
        return super()._pragma(op) or ("#pragma unroll 1" if _chooses_products_under_way(op) else "")

    def _array(self, op: memref.AllocOp, depth: int) -> None:
        super()._array(op, depth)
        users = [use.operation for use in op.memref.uses]
        if any(isinstance(user, wgmma.DescriptorOp) for user in users) and not any(
            isinstance(user, LdmatrixOp) for user in users
        ):
            self._address(op.memref, depth)

    def _descriptor(self, op: wgmma.DescriptorOp, depth: int) -> None:
        self._called[DESCRIPTOR] = descriptor_text()
        matrix, width = matrix_of(op.descriptor), element_bytes(element_type_of(op.memory))
        start = f"{self._addresses[whole(op.memory)]} + {width} * {self.text(op.offset, PRODUCT + 1)}"
        swizzle = matrix.constant >> _SWIZZLE_BITS
        is_left = any(isinstance(use.operation, wgmma.MmaAsyncOp) and use.index == _LEFT for use in op.descriptor.uses)
        name = self.name(op.descriptor, "left" if is_left else "right")
        fields = f"{matrix.leading}, {matrix.stride}, {swizzle}"
        self._line(f"const unsigned long long {name} = {DESCRIPTOR}({start}, {fields});", depth)

    def _product(self, op: wgmma.MmaAsyncOp, depth: int) -> None:
        one, transposed = op.instruction, (_by_columns(op.a), _by_columns(op.b))
        name = product_name(one, transposed)
        self._called[name] = product_text(one, transposed, one.tiles.words)
        sums = f"&{self.text(op.accumulator)}[{self.text(op.index)}]"
        self._line(f"{name}({sums}, {self.text(op.a)}, {self.text(op.b)});", depth)

    def _wait(self, op: wgmma.WaitGroupOp, depth: int) -> None:
        pending = op.pending.value.data
        for value in op.accumulators or (None,):
            tiles = None if value is None else tiles_of(value)
            registers = 0 if tiles is None else tiles.registers
            name = wait_name(pending, registers)
            element, words = ("f32", 4) if tiles is None else (tiles.element, tiles.words)
            self._called[name] = wait_text(pending, element, registers, words)
            sums = "" if value is None else self.text(value)
            self._line(f"{name}({sums});{_reason(op)}", depth)


def _chooses_products_under_way(loop: scf.ForOp) -> bool:
    """Whether products stand under a condition in a loop, of which some are under way when its next step begins."""
    inside = list(loop.walk())
    choices = [op for op in inside if isinstance(op, scf.IfOp)]
    chosen = any(isinstance(op, wgmma.MmaAsyncOp) for choice in choices for op in choice.walk())
    return chosen and any(isinstance(op, wgmma.WaitGroupOp) and op.pending.value.data > 0 for op in inside)


def _by_columns(descriptor: SSAValue) -> bool:
    return matrix_of(descriptor).major == "mn_major"


def _reason(op: wgmma.FenceOp | wgmma.CommitGroupOp | wgmma.FenceProxyAsyncOp | wgmma.WaitGroupOp) -> str:
    reason = None if isinstance(op, wgmma.CommitGroupOp) else op.reason
    return f"  // {reason.data}" if reason is not None else ""
