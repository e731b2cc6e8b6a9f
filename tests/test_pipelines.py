"""The VTA pipeline's phases: each prints, parses again, and leads to the same stream from its text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from lowering import prepare
from workload_cases import BATCH_4
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

import vtac
from vtac.errors import CompileError
from vtac.pipelines import CompositePass, Instrumentation, Phase, Runner, Step, steps_within
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.vta.pipeline import VTA_PIPELINE, LowerToVta
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context
from vtac.text.reports import InvalidModuleError
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

LAYERS = {
    "vadd": (VectorAdd(128), VectorAdd(128).schedule(32)),
    "product with guards": (Matmul(2, 64, 80), Matmul(2, 64, 80).schedule(MatmulTiling(2, 48, 48, 1, "guard"))),
    "convolution in threads": (Conv2D(1, 6, 6, 32, 32), Conv2D(1, 6, 6, 32, 32).schedule(Conv2DTiling(3, 6, 16, 16))),
    "convolution in the padding": (
        Conv2D(4, 4, 4, 8, 8, 3, 3, config=BATCH_4),
        Conv2D(4, 4, 4, 8, 8, 3, 3, config=BATCH_4).schedule(Conv2DTiling(1, 8, 8, 8, vthreads=1)),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_every_phase_is_complete_as_text(name: str) -> None:
    layer, schedule = LAYERS[name]
    expected = vtac.compile(layer.text(), schedule=schedule)
    module = prepare(layer.text(), None, schedule)
    for at in range(len(VTA_PIPELINE.phases) + 1):
        text = str(module) + "\n"
        module = vtac.parse(text)
        module.verify()
        assert str(module) + "\n" == text
        for phase in VTA_PIPELINE.phases[at : at + 1]:
            for step in phase.passes:
                step.apply(make_context(), module)
    program = build_program(module)
    assert (program.instructions, program.micro_ops) == (expected.stream.instructions, expected.stream.micro_ops)
    assert program.buffers == expected.stream.buffers
    assert program.constants == expected.stream.constants


def test_passes_that_are_done_change_nothing() -> None:
    layer, schedule = LAYERS["convolution in threads"]
    module = prepare(layer.text(), None, schedule)
    Runner(make_context()).run_phases(VTA_PIPELINE.phases, module)
    text = str(module)
    for phase in VTA_PIPELINE.phases:
        for step in phase.passes:
            step.apply(make_context(), module)
    assert str(module) == text


def test_unknown_phase() -> None:
    layer, schedule = LAYERS["vadd"]
    with pytest.raises(CompileError) as caught:
        LowerToVta("assembly").apply(make_context(), prepare(layer.text(), None, schedule))
    assert str(caught.value) == f"no phase 'assembly'; the phases are {', '.join(VTA_PIPELINE.levels)}"


@dataclass(frozen=True)
class DropTheReturn(ModulePass):
    """Leaves IR that does not verify."""

    name = "drop-the-return"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for last in [inner for inner in op.walk() if isinstance(inner, ReturnOp)]:
            Rewriter.erase_op(last)


@dataclass(frozen=True)
class BreakAndRepair(CompositePass):
    """Two phases, the first of which breaks the IR."""

    name = "break-and-repair"

    @property
    def phases(self) -> tuple[Phase, ...]:
        return (Phase("broken", (DropTheReturn(), DropTheReturn())), Phase("repaired", ()))


class Recorder(Instrumentation):
    """What it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before(self, step: Step, module: ModuleOp) -> None:
        self.told.append(f"{step.kind} {step.name}")

    def after(self, step: Step, module: ModuleOp) -> None:
        self.told.append(f"end {step.name}")

    def failed(self, step: Step, module: ModuleOp) -> None:
        self.told.append(f"no {step.name}")


@pytest.mark.parametrize("each", [False, True])
def test_what_breaks_the_ir_is_named_and_told_to_the_instrumentation(each: bool) -> None:
    recorder = Recorder()
    module = vtac.parse("func.func @f() {\n  func.return\n}\n")
    runner = Runner(make_context(), (recorder,), verify_each=each)
    when = "after pass 'drop-the-return'" if each else "after phase 'broken'"
    with pytest.raises(InvalidModuleError, match=f"<string>:1:1: {when}: 'func.func' has an empty block"):
        runner.run_pass(BreakAndRepair(), module)
    one = ["pass drop-the-return", "end drop-the-return"]
    verification = [f"verify {when}", f"no {when}"]
    middle = [one[0], *verification, "no drop-the-return"] if each else [*one, *one, *verification]
    assert recorder.told == [
        "pass break-and-repair",
        "phase broken",
        *middle,
        "no broken",
        "no break-and-repair",
    ]


def test_a_composite_pass_alone_verifies_its_phases() -> None:
    with pytest.raises(InvalidModuleError):
        BreakAndRepair().apply(make_context(), vtac.parse("func.func @f() {\n  func.return\n}\n"))


def test_steps_within_a_pipeline() -> None:
    steps = list(steps_within((LowerToVta("scheduled"),)))
    assert [step.name for step in steps] == [
        "lower-to-vta",
        "payload",
        "convert-linalg-to-schedule",
        "scheduled",
        "apply-schedule",
    ]
    assert [step.is_composite for step in steps] == [True, False, False, False, False]


def test_phases_before_and_after() -> None:
    phases = VTA_PIPELINE.phases
    assert VTA_PIPELINE.through("input") == ()
    assert VTA_PIPELINE.through("tokens") == phases[:5]
    assert VTA_PIPELINE.beyond("tokens") == phases[5:]
    assert VTA_PIPELINE.beyond("vta") == ()


EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FRONTENDS = Path(__file__).parent / "data" / "frontends"


@pytest.mark.parametrize("name", ["vta_vadd", "vta_matmul", "vta_conv2d", "wmma_conv2d"])
def test_every_pass_over_an_example_leaves_ir_that_verifies(name: str) -> None:
    pipeline = WMMA_PIPELINE if name.startswith("wmma") else VTA_PIPELINE
    Runner(make_context(), verify_each=True).run_phases(pipeline.phases, vtac.parse(EXAMPLES / f"{name}.mlir"))


@pytest.mark.parametrize("file", sorted(FRONTENDS.glob("*.mlir")), ids=lambda file: file.stem)
def test_every_pass_over_a_network_leaves_ir_that_verifies(file: Path) -> None:
    module = prepare(file, None, None)
    Runner(make_context(), verify_each=True).run_phases(plain_pipeline().phases, module)
