"""Programs of several kernels: each kernel lowered once, all of them linked into one stream and proven safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import GlobalOp
from xdsl.ir import Region

from vtac.analysis.locations import location_of
from vtac.analysis.target import allows_acc_8bit, copy_target
from vtac.dialects.packing.declared import layer_name
from vtac.errors import CompileError
from vtac.passes.vta.vta_link_kernels import VtaLinkKernels
from vtac.passes.vta.vta_plan_dram import VtaPlanDram
from vtac.targets.vta.linking.kernels import Lowered, lowered, lowered_simply, unsafe_note
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context

Progress = Callable[[str, int, int], None]
"""Called with what is done next, how many steps are done, and how many there are."""


class Linker:
    """Links the programs of one module; a kernel that several call is lowered once."""

    def __init__(self, module: ModuleOp, devices: Mapping[str, FuncOp], progress: Progress | None) -> None:
        self.module = module
        self.devices = devices
        self.progress = progress
        self.kernels: dict[str, Lowered] = {}

    def program(self, function: FuncOp) -> tuple[Program, dict[str, str]]:
        """The stream of a program function; and why kernels have not the default schedule, by kernel.

        Raises `CompileError` when the whole cannot be proven safe.
        """
        calls = [op for op in function.walk() if isinstance(op, CallOp)]
        layers = {op.callee.string_value(): layer_name(op) for op in reversed(calls)}
        names = list(reversed(layers))
        for done, name in enumerate(names):
            if name not in self.kernels:
                self._report(layers[name], done, len(names))
                self.kernels[name] = lowered(self.devices[name], self.module)
        self._report("link and check", len(names), len(names))
        program = self._linked(function, names)
        findings = self._findings(program)
        if findings:
            self._replace_unsafe(names)
            program = self._linked(function, names)
            findings = self._findings(program)
        if findings:
            raise CompileError(
                f"program '{function.sym_name.data}' of {len(names)} kernels is not proven safe: {findings[0]}",
                location_of(function),
            )
        return program, {name: note for name in names if (note := self.kernels[name].note) is not None}

    def _replace_unsafe(self, names: list[str]) -> None:
        """Lower kernels that are not safe alone by the simple schedule."""
        for name in names:
            findings = self._findings(build_program(self.kernels[name].module.clone()))
            if findings:
                simple = lowered_simply(self.devices[name], self.module)
                self.kernels[name] = Lowered(simple, unsafe_note(findings[0]))

    def _findings(self, program: Program) -> list[Finding]:
        return check(program, acc_8bit=allows_acc_8bit(self.module))

    def _linked(self, function: FuncOp, names: list[str]) -> Program:
        kernels = [op.clone() for name in names for op in self.kernels[name].module.ops if isinstance(op, FuncOp)]
        declared = [FuncOp(name, self.devices[name].function_type, Region(), "private") for name in names]
        globals_ = [op for name in names for op in self.kernels[name].module.ops if isinstance(op, GlobalOp)]
        constants = {op.sym_name.data: op.clone() for op in globals_}
        module = ModuleOp([function.clone(), *declared, ModuleOp([*constants.values(), *kernels])])
        copy_target(self.module, module)
        for step in (VtaLinkKernels(), VtaPlanDram()):
            step.apply(make_context(), module)
        module.verify()
        return build_program(module)

    def _report(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)
