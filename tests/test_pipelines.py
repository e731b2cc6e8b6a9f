"""The VTA pipeline's phases: each prints, parses again, and leads to the same stream from its text."""

from __future__ import annotations

import pytest
from workload_cases import BATCH_4

import vtac
from vtac.compiler import build_program, context, prepare
from vtac.errors import CompileError
from vtac.pipelines import PHASES, VTA_PIPELINE, run_phases
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
    for at in range(len(VTA_PIPELINE) + 1):
        text = str(module) + "\n"
        module = vtac.parse(text)
        module.verify()
        assert str(module) + "\n" == text
        for phase in VTA_PIPELINE[at : at + 1]:
            for step in phase.passes:
                step.apply(context(), module)
    program = build_program(module)
    assert (program.instructions, program.micro_ops) == (expected.instructions, expected.micro_ops)
    assert program.buffers == expected.buffers
    assert program.constants == expected.constants


def test_passes_that_are_done_change_nothing() -> None:
    layer, schedule = LAYERS["convolution in threads"]
    module = prepare(layer.text(), None, schedule)
    run_phases(module, context())
    text = str(module)
    for phase in VTA_PIPELINE:
        for step in phase.passes:
            step.apply(context(), module)
    assert str(module) == text


def test_unknown_phase() -> None:
    layer, schedule = LAYERS["vadd"]
    with pytest.raises(CompileError) as caught:
        run_phases(prepare(layer.text(), None, schedule), context(), "assembly")
    assert str(caught.value) == f"no phase 'assembly'; the phases are {', '.join(PHASES)}"
