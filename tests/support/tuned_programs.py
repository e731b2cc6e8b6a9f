"""Small programs to tune, and executors that lose their workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.trials import Job
from vtac.workers.errors import WorkerDied
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

CONV = Conv2D(1, 6, 6, 32, 32).text()
LAYERS = {
    "convolution": CONV,
    "steps": Conv2D(1, 10, 10, 32, 32, 1, 0, 2).text(),
    "stride": Conv2D(1, 9, 9, 16, 48, 3, 1, 2).text(),
    "padding": Conv2D(1, 1, 2, 32, 48).text(),
    "product": Matmul().text(),
    "sum": VectorAdd().text(),
}
SMALL = VTAConfig(log_inp_buff_size=12, log_wgt_buff_size=14, log_acc_buff_size=13, log_uop_buff_size=12)
"""Memories that make a search work for its tilings."""


class Here(Executor):
    """Calls at once; what has the victim ends its worker, as if it had one."""

    count = 1

    def __init__(self, victim: Tiling | None = None) -> None:
        self.victim, self.calls = victim, 0

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        future: Future[object] = Future()
        jobs = cast("tuple[Job, ...]", args[0])
        if self.victim is not None and any(job.tiling == self.victim for job in jobs):
            future.set_exception(WorkerDied("was killed by SIGKILL"))
            return future
        self.calls += len(jobs)
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class Interrupted(Here):
    """An interrupt comes after so many tilings."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.calls >= self.after:
            raise KeyboardInterrupt
        return super().submit(fn, *args, **kwargs)
