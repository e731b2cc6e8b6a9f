"""What the passes of one compilation share beside the module: progress, and what the search has lowered on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Dialect

from vtac.analysis.ir.kept_facts import FactsContext
from vtac.analysis.operations.equal_regions import are_equal
from vtac.dialects.schedule.script import ScriptOp
from vtac.progress import Progress
from vtac.targets.vta.schedules.known_kernels import KnownKernels
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.schedules.lowering import Lowering


@dataclass
class Lowerings:
    """Device functions that are lowered already, by the script that they were lowered by."""

    _known: dict[str, tuple[FuncOp, Lowering]] = field(default_factory=dict[str, tuple[FuncOp, Lowering]])

    def keep(self, device: FuncOp, lowering: Lowering) -> None:
        """Remember what became of a device function; `device` is a copy that nobody changes."""
        self._known[device.sym_name.data] = device, lowering

    def script_of(self, device: str) -> ScriptOp | None:
        """The script that a device function has been lowered by, which nobody changes; None where that is not known."""
        found = self._known.get(device)
        return None if found is None else found[1].script

    def take(self, device: FuncOp, script: ScriptOp) -> ModuleOp | None:
        """What became of this very function under this very script, once; None where that is not known."""
        found = self._known.pop(device.sym_name.data, None)
        if found is None:
            return None
        known, lowering = found
        return lowering.module if _are_equal(known, device) and _are_equal(lowering.script, script) else None


@dataclass
class CompilationContext(FactsContext):
    """A context that one compilation hands from pass to pass.

    Passes work under any context: without this one they report nothing and lower again.
    """

    progress: Progress | None = None
    lowerings: Lowerings = field(default_factory=Lowerings)
    scripts: Mapping[str, ScriptOp] = field(default_factory=dict[str, ScriptOp])
    """What an earlier search has found for this very program, by device function."""
    tilings: KnownTilings | None = None
    """What earlier searches have found for layers of any program."""
    kernels: KnownKernels | None = None
    """What layers were lowered to, or other processes lower; None where each is lowered when its turn comes."""

    @staticmethod
    def of(
        dialects: Mapping[str, Callable[[], Dialect]],
        progress: Progress | None = None,
        scripts: Sequence[ScriptOp] = (),
        tilings: KnownTilings | None = None,
        kernels: KnownKernels | None = None,
    ) -> CompilationContext:
        """A context of one compilation that knows these dialects."""
        by_name = {op.target.data: op for op in scripts}
        context = CompilationContext(progress=progress, scripts=by_name, tilings=tilings, kernels=kernels)
        for name, factory in dialects.items():
            context.register_dialect(name, factory)
        return context

    def report(self, what: str, done: int, total: int) -> None:
        """Say what is done next, if somebody listens."""
        if self.progress is not None:
            self.progress(what, done, total)


def compilation_of(context: Context) -> CompilationContext:
    """The context itself, or one that knows nothing of a compilation."""
    return context if isinstance(context, CompilationContext) else CompilationContext()


def _are_equal(one: FuncOp | ScriptOp, other: FuncOp | ScriptOp) -> bool:
    """Whether two functions or scripts are the same, wherever they stand."""
    if (one.attributes, one.properties) != (other.attributes, other.properties):
        return False
    return are_equal(one.body, other.body)
