"""What can happen to workers, and how to know it of executors that are somebody else's."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, CancelledError

from vtac.errors import VtacError

_KILLED = frozenset({"KilledWorker"})
_GONE = frozenset({"CommClosedError", "FutureCancelledError", "ClosedClientError"})
"""Names of Dask's exceptions, so that it need not be imported to know them."""


class WorkersError(VtacError):
    """Workers that cannot be reached, that do not start, or that are all lost."""

    kind = "workers"


class WorkerDied(BrokenExecutor):
    """The process that had a task ended; `reason` says how. Others and their tasks are as they were."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the worker that had the task {reason}")
        self.reason = reason


def reason_of_death(error: BaseException) -> str | None:
    """How the worker of a task ended; None for an error of the task itself."""
    if isinstance(error, WorkerDied):
        return error.reason
    if isinstance(error, BrokenExecutor) or type(error).__name__ in _KILLED:
        return "ended its worker"
    return None


def is_loss(error: BaseException) -> bool:
    """Whether the executor itself is gone, such as the scheduler of a cluster."""
    return isinstance(error, CancelledError) or type(error).__name__ in _GONE
