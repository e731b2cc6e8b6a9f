"""Where lowered layers come from: what earlier compilations have kept, and several processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from vtac.targets.vta.schedules.kernel_forms import KernelForm, KernelRecord, form_of
from vtac.targets.vta.schedules.kernel_lowering import kernel_task, lower_task
from vtac.workers.forks import shared_out

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp

    from vtac.targets.vta.schedules.kernel_cache import KernelCache
    from vtac.targets.vta.schedules.known_tilings import KnownTilings
    from vtac.targets.vta.schedules.lowering import Lowering


@dataclass
class KnownKernels:
    """Layers under their default schedules, by their form; `jobs` processes lower what `cache` does not hold."""

    cache: KernelCache | None = None
    tilings: KnownTilings | None = None
    jobs: int = 1
    _records: dict[str, str] = field(default_factory=dict[str, str], init=False)

    def prepare(self, functions: Sequence[FuncOp], module: ModuleOp) -> None:
        """Lower what several processes are to share."""
        if self.jobs > 1:
            forms = [form for function in functions if (form := form_of(function)) is not None]
            tasks = dict.fromkeys(kernel_task(form, module) for form in forms)
            self._lower([task for task in tasks if self._kept(task) is None])

    def find(self, function: FuncOp, module: ModuleOp) -> tuple[dict[str, int], Lowering] | None:
        """The work of a device function, and what it becomes; None where it has to be lowered by itself."""
        form = form_of(function)
        if form is None:
            return None
        record = self.lowered(kernel_task(form, module))
        return restored(form, record) if record else None

    def lowered(self, task: str) -> str:
        """The record of a task; empty where the default schedule is refused."""
        record = self._kept(task)
        if record is None:
            self._lower([task])
            record = self._records[task]
        return record

    def close(self) -> None:
        """What was kept makes room for itself."""
        if self.cache is not None:
            self.cache.close()

    def _kept(self, task: str) -> str | None:
        if task not in self._records and self.cache is not None:
            found = self.cache.find(task)
            if found is not None:
                self._records[task] = found
        return self._records.get(task)

    def _lower(self, tasks: Sequence[str]) -> None:
        for task, record in zip(
            tasks, shared_out(partial(lower_task, kept=self.tilings), tasks, self.jobs), strict=True
        ):
            self._records[task] = record
            if self.cache is not None:
                self.cache.keep(task, record)


def restored(form: KernelForm, record: str) -> tuple[dict[str, int], Lowering] | None:
    """The work of a function of that form, and what it becomes by a record; None for a damaged one."""
    try:
        read = KernelRecord.read(record)
        lowering = form.with_own(read)
    except (ValueError, TypeError, LookupError, StopIteration):
        return None
    return None if lowering is None else (read.work, lowering)
