"""Programs as frontends print them, against what their operations mean, written out in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from frontend_models import DIRECTORY, MODELS, SEEDS, parameters
from layer_text import host_steps, kernel_count
from numpy.typing import NDArray
from plain_programs import SMALL_BLOCK, assert_same, unforced_choices

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.host_program import HostProgram

Integers = NDArray[np.int64]
Data = NDArray[np.int8]


def wrapped(sums: Integers) -> Integers:
    """As 32 bits hold them."""
    return sums.astype(np.int32).astype(np.int64)


def clamped(values: NDArray[np.int64] | NDArray[np.float32], low: int = -128) -> Data:
    return np.clip(values, low, 127).astype(np.int8)


def half_even(sums: Integers, scale: float) -> Data:
    return clamped(np.rint(sums.astype(np.float32) * np.float32(scale)))


def convolved(data: Data, weights: NDArray[np.int8]) -> Integers:
    """NCHW by OIHW, 3 x 3, one zero around."""
    padded = np.pad(data.astype(np.int64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = data.shape[2:]
    views = [padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    taps = weights.astype(np.int64).reshape(*weights.shape[:2], 9)
    return np.einsum("tnchw,oct->nohw", np.stack(views), taps)


def pytorch_mlp(x: Data) -> Data:
    w1, b1, w2, b2 = (p.astype(np.int64) for p in parameters("pytorch_mlp"))
    hidden = clamped((wrapped(x.astype(np.int64) @ w1.T + b1) + 64) >> 7, 0)
    return clamped(wrapped(hidden.astype(np.int64) @ w2.T + b2) >> 8)


def onnx_qlinear_residual(x: Data) -> Data:
    w1, b1, w2, b2, w3, b3 = parameters("onnx_qlinear_residual")
    first = half_even(convolved(x, w1.astype(np.int8)) + b1[:, None, None], 2.0**-6)
    padded = np.pad(first, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-128)
    views = [padded[:, :, y : y + 15 : 2, x : x + 15 : 2] for y in range(3) for x in range(3)]
    pooled: Data = np.max(np.stack(views), axis=0)
    second = half_even(convolved(pooled, w2.astype(np.int8)) + b2[:, None, None], 2.0**-8)
    total = (second.astype(np.float32) + pooled.astype(np.float32)) * np.float32(0.0625)
    narrow = clamped(np.rint(np.maximum(total, np.float32(0)) / np.float32(0.125)))
    rows = narrow.max(axis=(2, 3)).astype(np.int64)
    return half_even(rows @ w3.astype(np.int64).T + b3, 2.0**-6)


def tosa_rescale(x: Data) -> Data:
    w1, b1, w2, b2 = parameters("tosa_rescale")
    total = convolved(x.transpose(0, 3, 1, 2), w1.transpose(0, 3, 1, 2).astype(np.int8)).transpose(0, 2, 3, 1) + b1
    images = clamped((total * (1 << 30) + (1 << 36)) >> 37)
    scores = images.reshape(2, 256).astype(np.int64) @ w2.astype(np.int64).T + b2
    return clamped((scores * (1 << 30) + (1 << 37)) >> 38)


REFERENCES: dict[str, Callable[[Data], Data]] = {
    "pytorch_mlp": pytorch_mlp,
    "onnx_qlinear_residual": onnx_qlinear_residual,
    "tosa_rescale": tosa_rescale,
}


@pytest.mark.parametrize("model", MODELS)
def test_the_stored_programs_are_those_of_the_script(model: str) -> None:
    assert (DIRECTORY / f"{model}.mlir").read_text(encoding="utf-8") == MODELS[model]()


@pytest.mark.parametrize(
    ("model", "config"),
    [*((model, None) for model in MODELS), ("tosa_rescale", SMALL_BLOCK)],
)
def test_models(model: str, config: VTAConfig | None) -> None:
    """One program, nothing on the host but the layout of what goes in and out, every number the reference's."""
    program = vtac.compile(DIRECTORY / f"{model}.mlir", config=config, host=False)
    assert isinstance(program, HostProgram)
    assert unforced_choices(program) == ()
    # The eight channels of tosa_rescale fill a small block, so that there folding its windows saves no products.
    is_folded = model != "pytorch_mlp" and config is None
    layouts = ["packing.fold", "packing.pack"] if is_folded else ["packing.pack"]
    assert host_steps(program) == [*layouts, "func.call", "packing.unpack"]
    assert kernel_count(program) == {"pytorch_mlp": 2, "onnx_qlinear_residual": 5, "tosa_rescale": 2}[model]
    for seed in range(2):
        random = np.random.default_rng(SEEDS[model] + 100 * seed)
        x = random.integers(-128, 128, program.arguments[0].shape).astype(np.int8)
        found = program(x)
        assert isinstance(found, np.ndarray)
        assert_same(found, REFERENCES[model](x))
        assert len(np.unique(found)) > 6
    for device in program.devices.values():
        assert vtac.check(device) == []
