"""MLIR reads every phase of the examples, in generic syntax, and gives it back unchanged."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

import vtac
from vtac.pipelines import Instrumentation, Pipeline, Runner, Step
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.text.source import parse_module

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PIPELINES = {
    "vta_vadd": VTA_PIPELINE,
    "vta_matmul": VTA_PIPELINE,
    "vta_conv2d": VTA_PIPELINE,
    "wmma_conv2d": WMMA_PIPELINE,
}


class Reread(Instrumentation):
    """Gives each phase's IR to MLIR and compares what comes back."""

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase":
            assert_read_back(module, step.name)


def assert_read_back(module: ModuleOp, phase: str) -> None:
    stream = StringIO()
    Printer(stream=stream, print_generic_format=True).print_op(module)
    back = parse_module(mlir_opt(text=stream.getvalue()), phase, make_context())
    assert back.is_structurally_equivalent(module), phase


@needs_mlir_opt
@pytest.mark.parametrize(("name", "pipeline"), PIPELINES.items())
def test_every_phase_is_read_back(name: str, pipeline: Pipeline) -> None:
    module = vtac.parse(EXAMPLES / f"{name}.mlir")
    assert_read_back(module, "input")
    Runner(make_context(), (Reread(),)).run_phases(pipeline.phases, module)
