"""The plain path pass by pass: what every step leaves verifies and computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.analysis.ir.device_functions import device_functions, kernel_modules, kernel_of
from vtac.evaluate import evaluate, evaluate_linalg
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.passes import lower_device_functions
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context

NETWORK = Path(__file__).parents[3] / "passes" / "vta" / "lower_plain_to_vta.mlir"
"""Two products of 4 x 20 by constants."""


def _numbers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)


def _prepared() -> ModuleOp:
    return prepare(NETWORK, find_target("vta"))


def test_every_pass_keeps_the_meaning() -> None:
    module, image = _prepared(), _numbers(4, 20)
    expected = evaluate(module, image)
    assert isinstance(expected, np.ndarray)
    for phase in plain_pipeline().phases:
        for step in phase.passes:
            step.apply(make_context(), module)
            module.verify()
            found = evaluate(module, image)
            assert isinstance(found, np.ndarray)
            np.testing.assert_array_equal(found, expected, err_msg=step.name)


def test_a_kernel_computes_what_its_function_on_tensors_says() -> None:
    module = _prepared()
    for phase in plain_pipeline().through("kernels"):
        for step in phase.passes:
            step.apply(make_context(), module)
    inputs = {
        "net_0": (_numbers(4, 2, 1, 16), _numbers(2, 2, 16, 16)),
        "net_1": (_numbers(4, 2, 1, 16), _numbers(1, 2, 16, 16)),
    }
    functions = {device.sym_name.data: device for device in device_functions(module)}
    kernels = {kernel.sym_name.data: m for m in kernel_modules(module) if (kernel := kernel_of(m)) is not None}
    assert kernels.keys() == inputs.keys()
    for name, arrays in inputs.items():
        (expected,) = evaluate_linalg(functions[name], arrays)
        found = build_program(kernels[name])(*arrays)
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, expected)


def test_what_the_search_has_lowered_is_not_lowered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    take = lower_device_functions.take_lowered

    def observed(*arguments: object) -> bool:
        taken.append(take(*arguments))  # pyright: ignore[reportArgumentType]
        return taken[-1]

    monkeypatch.setattr(lower_device_functions, "take_lowered", observed)
    vtac.compile(NETWORK)
    assert taken == [True, True]


def test_progress_names_the_layers() -> None:
    said: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        said.append((what, done, total))

    vtac.compile(NETWORK, progress=progress)
    assert said == [("h", 0, 2), ("y", 1, 2), ("link and check", 2, 2)]
