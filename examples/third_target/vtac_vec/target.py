"""The vector machine as a target of vtac."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.targets.target import Hardware, Intrinsic, Level, Target, TargetProgram
from vtac_vec.machine import ATTRIBUTE, VecMachine, parse_machine, read_machine, write_machine

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp
    from xdsl.ir import Operation
    from xdsl.utils.target import Target as Format

    from vtac.dialects.schedule.payload import ForOp
    from vtac.pipelines import Pipeline
    from vtac.schedule import Schedule
    from vtac_vec.evaluate import Array


def _pipeline() -> Pipeline:
    from vtac_vec.pipeline import VEC_PIPELINE

    return VEC_PIPELINE


def _schedules(module: ModuleOp) -> Sequence[Schedule]:
    from vtac_vec.schedule import default_schedule

    return [default_schedule(module)]


def _build(module: ModuleOp) -> TargetProgram:
    from vtac_vec.program import build_program

    return build_program(module)


def _load(directory: Path) -> TargetProgram:
    from vtac_vec.program import load_program

    return load_program(directory)


def _match(name: str, loop: ForOp, module: ModuleOp) -> object:
    from vtac_vec.matching import match

    return match(name, loop, module)


def _find(function: FuncOp) -> Operation | None:
    from vtac_vec.evaluate import vec_operation

    return vec_operation(function)


def _evaluate(module: ModuleOp, arrays: tuple[Array, ...]) -> Array | tuple[Array, ...]:
    from vtac_vec.evaluate import evaluate_vec

    return evaluate_vec(module, arrays)


def _assembly() -> type[Format]:
    from vtac_vec.emit import VecAsm

    return VecAsm


def _difference(own: VecMachine, given: VecMachine) -> tuple[str, str]:
    return f"has {own.registers} registers", str(given.registers)


VEC = Target(
    name="vec",
    title="vector",
    hardware=Hardware(
        record=VecMachine,
        noun="machine",
        required="a vtac_vec.machine.VecMachine is required",
        attribute=ATTRIBUTE,
        parse=parse_machine,
        read=read_machine,
        write=write_machine,
        difference=_difference,
        default=VecMachine,
    ),
    pipeline=_pipeline,
    schedules=_schedules,
    build=_build,
    load=_load,
    saved_as=("program.vec",),
    scopes={"vec.local": "the vector registers: eight elements of 32 bits each"},
    intrinsics=tuple(
        Intrinsic(name, partial(_match, name)) for name in ("vec.zero", "vec.load", "vec.axpy", "vec.store")
    ),
    directives=("vtac_vec.on_lanes",),
    levels=(Level("vec", _find, _evaluate),),
    formats={"vec-asm": _assembly},
)
