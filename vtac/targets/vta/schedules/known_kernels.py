"""Where lowered layers come from: what earlier compilations have kept, and several processes."""

from __future__ import annotations

import struct
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from xdsl.utils.exceptions import DiagnosticException, ParseError, UnregisteredConstructException

from vtac.targets.vta.schedules.kernel_forms import KernelForm, KernelRecord, form_of
from vtac.targets.vta.schedules.kernel_lowering import kernel_task, lower_task
from vtac.workers.forks import shared_out
from vtac.workers.helpers import shared_with

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp

    from vtac.targets.vta.schedules.kernel_cache import KernelCache
    from vtac.targets.vta.schedules.known_tilings import KnownTilings
    from vtac.targets.vta.schedules.lowering import Lowering


Known: TypeAlias = "tuple[dict[str, int], Lowering]"
"""The work of a device function, and what it becomes."""

_NO_RECORD = (ValueError, TypeError, LookupError, StopIteration, struct.error)
_NO_ATTRIBUTE = (ParseError, DiagnosticException, UnregisteredConstructException)
"""What texts raise that are no attributes, or wrong ones."""


@dataclass
class KnownKernels:
    """Layers under their default schedules, by their form; `jobs` processes lower what `cache` does not hold.

    They are copies of this one, or those of `helpers`.
    """

    cache: KernelCache | None = None
    tilings: KnownTilings | None = None
    jobs: int = 1
    helpers: Executor | None = None
    _records: dict[str, str] = field(default_factory=dict[str, str], init=False)

    def share(self, functions: Sequence[FuncOp], module: ModuleOp) -> Generator[tuple[int, Known | None]]:
        """The numbers of device functions, each once, with what `find` gives for it; close it when done.

        One process finds them in order. Several share those that are not kept, the longest first, and each lowers the
        next when it is done with one; where nothing is kept, None comes with what this process is to lower itself.
        """
        if self.jobs == 1:
            return ((number, self.find(function, module)) for number, function in enumerate(functions))
        by_text = self.cache is not None or self.helpers is not None
        return self._share_new(functions, module) if by_text else self._share_all(functions, module)

    def _share_all(self, functions: Sequence[FuncOp], module: ModuleOp) -> Generator[tuple[int, Known | None]]:
        def record_of(number: int) -> str:
            form = form_of(functions[number])
            return "" if form is None else lower_task(kernel_task(form, module), self.tilings)

        with closing(shared_out(record_of, _longest_first(functions), self.jobs)) as done:
            for number, record in done:
                form = form_of(functions[number]) if record else None
                yield number, restored(form, record) if form is not None and record else None

    def _share_new(self, functions: Sequence[FuncOp], module: ModuleOp) -> Generator[tuple[int, Known | None]]:
        """What is not kept; the rest, equal forms among it, after that."""
        forms = [form_of(function) for function in functions]
        tasks = ["" if form is None else kernel_task(form, module) for form in forms]
        first = {task: number for number, task in reversed(list(enumerate(tasks))) if task and self._kept(task) is None}
        new = {number: tasks[number] for number in _longest_first(functions) if number in first.values()}
        with closing(self._shared(new)) as done:
            for number, record in done:
                if record is not None:
                    self._keep(tasks[number], record)
                is_own = record is None and self.cache is None
                yield number, None if is_own else self._found(forms[number], tasks[number])
        others = (number for number in range(len(functions)) if number not in new)
        yield from ((number, self._found(forms[number], tasks[number])) for number in others)

    def _shared(self, tasks: Mapping[int, str]) -> Generator[tuple[int, str | None]]:
        lower = partial(lower_task, kept=self.tilings)
        if self.helpers is not None:
            return shared_with(self.helpers, lower, tasks)
        return shared_out(lambda number: lower(tasks[number]), list(tasks), self.jobs)

    def find(self, function: FuncOp, module: ModuleOp) -> Known | None:
        """The work of a device function, and what it becomes; None where it has to be lowered by itself."""
        form = form_of(function)
        return None if form is None else self._found(form, kernel_task(form, module))

    def _found(self, form: KernelForm | None, task: str) -> Known | None:
        record = "" if form is None else self.lowered(task)
        return restored(form, record) if form is not None and record else None

    def lowered(self, task: str) -> str:
        """The record of a task; empty where the default schedule is refused."""
        record = self._kept(task)
        if record is None:
            record = lower_task(task, self.tilings)
            self._keep(task, record)
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

    def _keep(self, task: str, record: str) -> None:
        self._records[task] = record
        if self.cache is not None:
            self.cache.keep(task, record)


def _longest_first(functions: Sequence[FuncOp]) -> list[int]:
    """The numbers of functions, first those of the most operations: they take longest to lower."""
    sizes = [sum(1 for _ in function.walk()) for function in functions]
    return sorted(range(len(sizes)), key=lambda number: -sizes[number])


def restored(form: KernelForm, record: str) -> Known | None:
    """The work of a function of that form, and what it becomes by a record; None for a damaged one."""
    try:
        read = KernelRecord.read(record)
        lowering = form.with_own(read)
    except (*_NO_RECORD, *_NO_ATTRIBUTE):
        return None
    return None if lowering is None else (read.work, lowering)
