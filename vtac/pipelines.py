"""Pipelines as data: passes in named phases, and the one runner that every tool and the library drive them with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.branches import refuse_branches
from vtac.errors import CompileError
from vtac.text.passed import Passed
from vtac.text.verification import verify_result

INPUT = "input"
"""The name of the IR before any phase."""


@dataclass(frozen=True)
class Phase:
    """Passes that belong together; its name is also that of the IR after them."""

    name: str
    passes: tuple[ModulePass, ...]


@dataclass(frozen=True)
class Pipeline:
    """Phases, one after the other, under a name."""

    name: str
    phases: tuple[Phase, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """What the IR is called before the first phase and after each one."""
        return (INPUT, *(phase.name for phase in self.phases))

    def through(self, last: str) -> tuple[Phase, ...]:
        """The phases up to and including `last`. Raises `CompileError` for a name that no phase has."""
        return self.phases[: self._position(last)]

    def beyond(self, done: str) -> tuple[Phase, ...]:
        """The phases after `done`. Raises `CompileError` for a name that no phase has."""
        return self.phases[self._position(done) :]

    def _position(self, level: str) -> int:
        if level not in self.levels:
            raise CompileError(f"no phase '{level}'; the phases are {', '.join(self.levels)}")
        return self.levels.index(level)


class Step(NamedTuple):
    """One thing that a runner does. Steps nest: a pass that is a pipeline holds phases, and they hold passes."""

    kind: Literal["pass", "phase", "verify"]
    name: str
    is_composite: bool = False
    """Whether it is a pass that consists of passes."""


class Instrumentation:
    """Is told of each step before it starts and when it has ended; does nothing itself."""

    def before(self, step: Step, module: ModuleOp) -> None:
        """Called when a step is about to start on `module`."""

    def after(self, step: Step, module: ModuleOp) -> None:
        """Called when a step has ended, and what it left has been verified where that is asked for."""

    def failed(self, step: Step, module: ModuleOp) -> None:
        """Called when a step, a step within it or the verification of what it left has raised."""


@dataclass(frozen=True)
class Runner:
    """Runs passes on a module and verifies it after each phase; with `verify_each`, after each pass too.

    Whatever a pass or the verification raises ends the run.
    """

    context: Context
    instrumentations: tuple[Instrumentation, ...] = ()
    verify_each: bool = False
    verify_phases: bool = True
    verified: tuple[str, ...] = ()
    """The phases after which it verifies; all of them where none is named."""
    passed: Passed = field(default_factory=Passed, repr=False, compare=False)
    """What passed verification on the way."""

    def run_phases(self, phases: Iterable[Phase], module: ModuleOp) -> None:
        """Run phases, each with all its passes."""
        for phase in phases:
            with self._told(Step("phase", phase.name), module):
                self.run_passes(phase.passes, module)
                if self.verify_phases and (not self.verified or phase.name in self.verified):
                    self.verify(module, f"after phase '{phase.name}'")

    def run_passes(self, passes: Iterable[ModulePass], module: ModuleOp) -> None:
        """Run passes, one after the other."""
        for current in passes:
            self.run_pass(current, module)

    def run_pass(self, current: ModulePass, module: ModuleOp) -> None:
        """Run one pass; of one that is composite, every step within it is told too."""
        is_composite = isinstance(current, CompositePass)
        with self._told(Step("pass", current.name, is_composite), module):
            if isinstance(current, CompositePass):
                current.run(self, module)
            else:
                current.apply(self.context, module)
            if self.verify_each:
                self.verify(module, f"after pass '{current.name}'")

    def verify(self, module: ModuleOp, when: str) -> None:
        """Raises `InvalidModuleError` with all that is wrong with a module, and when it came about."""
        with self._told(Step("verify", when), module):
            verify_result(module, when, self.passed)

    @contextmanager
    def _told(self, step: Step, module: ModuleOp) -> Generator[None]:
        for instrumentation in self.instrumentations:
            instrumentation.before(step, module)
        try:
            yield
        except BaseException:
            for instrumentation in reversed(self.instrumentations):
                instrumentation.failed(step, module)
            raise
        for instrumentation in reversed(self.instrumentations):
            instrumentation.after(step, module)


@dataclass(frozen=True)
class CompositePass(ModulePass):
    """A pass that consists of passes in phases, which a runner sees.

    One that runs them on parts of its module, each a module of its own, overrides `run`.
    """

    @property
    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """What it runs. Raises `CompileError` where an option names no phase."""

    def run(self, runner: Runner, module: ModuleOp) -> None:
        """Run the phases under a runner. Raises `CompileError` for functions with branches."""
        refuse_branches(module)
        runner.run_phases(self.phases, module)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        self.run(Runner(ctx), op)


def steps_within(passes: Iterable[ModulePass]) -> Iterator[Step]:
    """Every pass and phase that passes consist of, themselves included, in the order in which they start."""
    for current in passes:
        yield Step("pass", current.name, isinstance(current, CompositePass))
        for phase in current.phases if isinstance(current, CompositePass) else ():
            yield Step("phase", phase.name)
            yield from steps_within(phase.passes)


@dataclass(frozen=True)
class PipelinePass(CompositePass):
    """A pipeline as a pass; a subclass has a field `phase`, the last one to run."""

    pipeline: ClassVar[Pipeline]

    phase: str

    @property
    def phases(self) -> tuple[Phase, ...]:
        return self.pipeline.through(self.phase)
