"""Blocks of a cluster: the barrier of all their threads, and how many of them others may name."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.irdl import IRDLOperation, irdl_op_definition, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.clusters import MOST_CLUSTER
from vtac.dialects.wmma.declared import CLUSTER_DIMENSIONS, KERNEL


def check_blocks(name: str, op: Operation, blocks: int) -> None:
    """Raises `VerifyException` for more blocks of a cluster than the kernel around, or any, has."""
    if not 2 <= blocks <= MOST_CLUSTER:
        raise VerifyException(f"{name}: {blocks} blocks of a cluster; 2 to {MOST_CLUSTER} are possible")
    kernel = kernel_around(op)
    found = blocks_of(kernel) if kernel is not None else blocks
    if found < blocks:
        clusters = f"clusters of {found}" if found > 1 else "no clusters"
        raise VerifyException(f"{name}: {blocks} blocks of a cluster, and the kernel has {clusters}")


def kernel_around(op: Operation) -> FuncOp | None:
    """The kernel that an operation stands in; None where no function, or one that is no kernel yet, is around it."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return parent if isinstance(parent, FuncOp) and KERNEL.is_on(parent) else None


def blocks_of(kernel: FuncOp) -> int:
    """Blocks of each of a kernel's clusters; 1 where it has none."""
    x, y, z = CLUSTER_DIMENSIONS.get(kernel) or (1, 1, 1)
    return x * y * z


@irdl_op_definition
class ClusterArriveOp(IRDLOperation):
    """Tell the cluster that this thread has come so far; it goes on."""

    name = "tma.cluster_arrive"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class ClusterWaitOp(IRDLOperation):
    """Wait until all threads of the cluster have arrived, as this one has: what they did before is done."""

    name = "tma.cluster_wait"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"
