"""How long each step of a run took, as a tree on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp

from vtac.pipelines import Instrumentation, Step


@dataclass
class _Node:
    """Seconds spent in a step, those within it included, and the steps within it in the order of their first run."""

    seconds: float = 0.0
    inner: dict[str, _Node] = field(default_factory=dict[str, "_Node"])


class Timer(Instrumentation):
    """Collects wall time per step; one that runs again within the same step is counted with its first run."""

    def __init__(self) -> None:
        self._root = _Node()
        self._open: list[tuple[_Node, float]] = [(self._root, 0.0)]

    def before(self, step: Step, module: ModuleOp) -> None:
        self._enter(step.name if step.kind == "pass" else f"{step.kind} {step.name}")

    def after(self, step: Step, module: ModuleOp) -> None:
        self._leave()

    def failed(self, step: Step, module: ModuleOp) -> None:
        self._leave()

    @contextmanager
    def section(self, name: str) -> Generator[None]:
        """Times the statements inside it as a step `name`."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def print_tree(self) -> None:
        """Prints milliseconds and shares of the total on stderr, each step below the one it lies in."""
        total = sum(node.seconds for node in self._root.inner.values())
        print(f"{'ms':>10} {'share':>6}  step", file=sys.stderr)
        _print_inner(self._root, total or 1.0, "")
        print(f"{total * 1e3:10.2f} {1:6.1%}  total", file=sys.stderr)

    def _enter(self, name: str) -> None:
        node = self._open[-1][0].inner.setdefault(name, _Node())
        self._open.append((node, time.perf_counter()))

    def _leave(self) -> None:
        node, start = self._open.pop()
        node.seconds += time.perf_counter() - start


def _print_inner(node: _Node, total: float, indent: str) -> None:
    for name, inner in node.inner.items():
        print(f"{inner.seconds * 1e3:10.2f} {inner.seconds / total:6.1%}  {indent}{name}", file=sys.stderr)
        _print_inner(inner, total, indent + "  ")
