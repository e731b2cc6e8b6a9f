"""The fast path: plans, cached by stream and micro-ops."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, lru_cache
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from vtac.collection import seldom_collected
from vtac.errors import ExecutionError
from vtac.targets.vta.isa import AluOpcode, Opcode
from vtac.targets.vta.machine.fast_micro_ops import micro_op_image
from vtac.targets.vta.machine.fast_plan import Plan, PlanBuilder, TooLargeError
from vtac.targets.vta.machine.prepare import Prepared
from vtac.targets.vta.machine.stream import Stream


class _Threads(Protocol):
    """What is used of threadpoolctl, which has no types."""

    def limit(self, *, limits: int, user_api: str) -> AbstractContextManager[object]: ...


def _new_plan(prepared: Prepared, micro_ops: bytes) -> Plan:
    with seldom_collected():
        return PlanBuilder(prepared.stream, prepared.order, micro_ops, prepared.strict).build()


_plan = lru_cache(maxsize=16)(_new_plan)


def _shifts_by_tensor(stream: Stream) -> bool:
    columns = stream.table.columns[Opcode.ALU]
    return bool(((columns["alu_opcode"] == AluOpcode.SHR) & (columns["use_imm"] == 0)).any())


def run_fast(prepared: Prepared, dram: NDArray[np.uint8], progress: Callable[[int, int], None] | None) -> bool:
    """Execute a prepared stream on `dram` if the fast path can; False, with nothing done, if it cannot.

    It cannot when the stream stores over micro-ops that it loads, or must look at too many ALU
    operations of one instruction in a strict run. Raises `ExecutionError` as the reference interpreter does.
    """
    stream = prepared.stream
    image = micro_op_image(stream)
    if image.is_stored_over:
        return False
    micro_ops = image.read(dram)
    try:
        plan = _plan(prepared, micro_ops)
    except TooLargeError:
        return False
    except ExecutionError:
        # Shift amounts are data: an earlier instruction may be at fault, which only a run can tell.
        if prepared.strict and _shifts_by_tensor(stream):
            return False
        raise
    with _blas().limit(limits=1, user_api="blas"):
        if not plan.run(dram, progress, len(stream)):
            _new_plan(prepared, micro_ops).run(dram, progress, len(stream))
    return True


@cache
def _blas() -> _Threads:
    """The threads of the BLAS that numpy calls.

    One is best: products of tiles are small, and on a busy machine threads that wait for each
    other make a run ten times as long.
    """
    from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]

    return cast(_Threads, ThreadpoolController())
