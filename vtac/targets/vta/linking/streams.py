"""The instruction streams of a module that the plain path has lowered, and what speaks against them."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp

from vtac.analysis.ir.device_functions import host_functions, kernel_modules, kernel_of
from vtac.analysis.ir.target import allows_acc_8bit
from vtac.targets.vta.linking.known_streams import KnownStreams
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.stream.dataflow import plan_tokens


def build_streams(module: ModuleOp, known: KnownStreams | None = None) -> dict[str, Program]:
    """The program of each function on the VTA that a host function calls, by name, in order of the calls."""
    plan = plan_tokens if known is None else known.plan
    streams = {kernel.sym_name.data: m for m in kernel_modules(module) if (kernel := kernel_of(m)) is not None}
    calls = (op for function in host_functions(module) for op in function.walk() if isinstance(op, CallOp))
    called = dict.fromkeys(call.callee.string_value() for call in calls)
    return {name: build_program(streams[name], plan) for name in called}


def first_findings(
    programs: Mapping[str, Program], module: ModuleOp, known: KnownStreams | None = None
) -> dict[str, Finding]:
    """The first thing that the checker finds in each program that is not proven safe, by name."""
    prove = check if known is None else known.findings
    found = {name: prove(program, acc_8bit=allows_acc_8bit(module)) for name, program in programs.items()}
    return {name: findings[0] for name, findings in found.items() if findings}
