"""The fast path: plans, cached by stream and micro-ops."""

from __future__ import annotations

from collections.abc import Callable
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


class _Library(Protocol):
    """What is used of threadpoolctl's records of libraries, which have no types."""

    user_api: str

    def get_num_threads(self) -> int | None: ...
    def set_num_threads(self, num_threads: int) -> object: ...


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
    several = [(library, count) for library in _blas() if (count := library.get_num_threads()) != 1]
    try:
        for library, _ in several:
            library.set_num_threads(1)
        if not plan.run(dram, progress, len(stream)):
            _new_plan(prepared, micro_ops).run(dram, progress, len(stream))
    finally:
        for library, count in several:
            if count is not None:
                library.set_num_threads(count)
    return True


@cache
def _blas() -> list[_Library]:
    """The libraries of linear algebra that numpy calls, whose threads can be counted.

    One thread is best: products of tiles are small, and on a busy machine threads that wait for each
    other make a run ten times as long. threadpoolctl's own limit takes as long as a tenth of a small stream's run.
    """
    from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]

    libraries = cast("list[_Library]", ThreadpoolController().lib_controllers)
    return [library for library in libraries if library.user_api == "blas"]
