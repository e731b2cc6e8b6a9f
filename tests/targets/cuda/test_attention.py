"""Attention as one kernel: its text on the CPU and its level by numpy, against float64; and what stays apart."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

import vtac
from vtac.analysis.attention.attention_tiles import attention_tiling
from vtac.dialects.gpu_hardware import gpu_architectures
from vtac.errors import CompileError, KernelFault
from vtac.evaluate import evaluate
from vtac.passes.gpu.fuse_attention import FuseAttention
from vtac.passes.linalg.normalize_linalg import NormalizeLinalg
from vtac.pipelines import Runner
from vtac.targets.cuda.compiling import kernel_modules, kernels_apart
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.text.context import make_context
from vtac.workloads.attention import Attention
from vtac.workloads.encoder import EncoderLayer

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_nvrtc = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))

SIZES = {
    "one of each": Attention(1, 1, 1, 16, 16),
    "whole tiles, heads of 64": Attention(2, 64, 128, 64, 64),
    "primes, heads of 64, masked": Attention(2, 37, 101, 64, 64, mask=True),
    "heads of 128 in bf16": Attention(1, 33, 70, 128, 128, "bf16"),
    "causal, more rows than a block": Attention(1, 90, 90, 32, 32, causal=True),
    "heads of 48 and 80": Attention(3, 20, 17, 48, 80),
}


@cache
def program(attention: Attention, architecture: str | None = None) -> vtac.CudaNetwork:
    found = vtac.compile(attention.text(), "cuda", architecture)
    assert isinstance(found, vtac.CudaNetwork)
    return found


@needs_compiler
@pytest.mark.parametrize("name", SIZES)
def test_the_text_equals_float64(name: str) -> None:
    attention = SIZES[name]
    found = program(attention)
    arrays = attention.inputs()
    (result,) = found.run_on_cpu(arrays).outputs
    assert [len(found.plan.steps), found.plan.scratch_bytes] == [1, 0]
    assert attention.difference(result, arrays) <= 1


@pytest.mark.parametrize("name", ["one of each", "primes, heads of 64, masked"])
def test_each_level_equals_float64(name: str) -> None:
    attention = SIZES[name]
    arrays = attention.inputs()
    module = vtac.parse(attention.text())
    Runner(make_context()).run_passes([NormalizeLinalg(), FuseAttention()], module)
    fused = evaluate(module, *arrays)
    apart = kernels_apart(vtac.parse(attention.text()))
    assert apart is not None
    (kernel,) = kernel_modules(apart).values()
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, kernel)
    for found in (fused, evaluate(kernel, *arrays)):
        assert isinstance(found, np.ndarray)
        assert attention.difference(found, arrays) <= 1


def test_an_encoder_needs_two_launches_less_and_no_memory_for_scores() -> None:
    layer = EncoderLayer(tokens=128, width=64, heads=4, hidden=128)
    fused = vtac.compile(layer.text(), "cuda")
    assert isinstance(fused, vtac.CudaNetwork)
    assert [len(fused.plan.kernels), len(fused.plan.steps)] == [6, 9]
    scores = 4 * 128 * 128 * 2
    assert all(buffer.nbytes < scores for buffer in fused.plan.buffers)


PLANTED = {
    "the factors are not applied": (r"sums\[i\]\.x\[element\] \*= factor\[0\]\.x\[element\];", ";"),
    "keys that are none count": (r"< 101\) \?", "< 128) ?"),
    "one key too few": (r"< 101\) \?", "< 100) ?"),
    "the largest score is forgotten": (r"change\[i\] = expf\([^;]*;", "change[i] = 1.0f;"),
}


@needs_compiler
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_gives_other_numbers(name: str) -> None:
    attention = SIZES["primes, heads of 64, masked"]
    pattern, instead = PLANTED[name]
    found = program(attention)
    text, count = re.subn(pattern, instead, found.text)
    assert count
    arrays = attention.inputs()
    launch = found.plan.kernels[0]
    with np.errstate(invalid="ignore"):
        run = run_on_cpu(text, launch, arrays, orders=1)
        assert not attention.difference(run.outputs[0], arrays) <= 1


@needs_compiler
@pytest.mark.parametrize(("limit", "kind"), [("row", "out-of-bounds"), ("key", "out-of-bounds")])
def test_a_wrong_guard_reaches_beyond_the_arrays(limit: str, kind: str) -> None:
    attention = Attention(1, 37, 101, 64, 64)
    text = program(attention).text
    old, new = ("< 37)", "< 64)") if limit == "row" else ("< 101) {", "< 128) {")
    assert old in text
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(text.replace(old, new), program(attention).plan.kernels[0], attention.inputs(), orders=1)
    assert caught.value.kind == kind


@needs_nvrtc
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90", "sm_121"])
@pytest.mark.parametrize("features", [64, 128])
def test_nothing_spills(features: int, architecture: str) -> None:
    found = program(Attention(2, 512, 512, features, features), architecture)
    launch = found.plan.kernels[0]
    compiled = compile_kernel(found.text, launch.kernel, architecture)
    assert not compiled.spills
    assert compiled.resident_blocks(launch) >= 2


@pytest.mark.parametrize("name", gpu_architectures())
def test_every_architecture_has_room_for_heads_of_128(name: str) -> None:
    tiling = attention_tiling((512, 512, 128, 128), gpu_architectures()[name])
    assert tiling is not None
    assert tiling.shared_bytes(128, 128) <= gpu_architectures()[name].shared_bytes_per_block


def test_heads_without_room_stay_apart() -> None:
    assert len(program(Attention(1, 16, 16, 16, 512)).plan.steps) == 3
    assert attention_tiling((16, 16, 16, 512), None) is None


@needs_compiler
def test_what_the_products_start_from_is_added() -> None:
    attention = Attention(1, 20, 24, 16, 16)
    text = attention.text().replace("%mixed_start = arith.constant 0.0", "%mixed_start = arith.constant 2.0")
    text = text.replace("outs(%scores_init", "outs(%bias").replace(") -> (", ", %bias: tensor<1x20x24xf32>) -> (", 1)
    assert "arith.constant 2.0" in text
    biased = Attention(1, 20, 24, 16, 16, mask=True)
    arrays = attention.inputs()
    mask = np.random.default_rng(1).standard_normal((20, 24)).astype(np.float32)
    found = vtac.compile(text, "cuda")
    assert isinstance(found, vtac.CudaNetwork)
    (result,) = found.run_on_cpu([*arrays, mask[None] / np.float32(attention.scale)]).outputs
    wanted = biased.reference([*arrays, mask]) + 2.0
    # Numbers near 2 are rounded more coarsely than those that the tolerance is of.
    difference = np.max(np.abs(result.astype(np.float64) - wanted))
    assert difference <= 2 * biased.tolerance([*arrays, mask])


@pytest.mark.parametrize("name", ["scores", "mixed"])
def test_products_that_start_from_something_stay_apart(name: str) -> None:
    text = Attention(1, 20, 24, 16, 16).text()
    other = text.replace(f"%{name}_start = arith.constant 0.0", f"%{name}_start = arith.constant 2.0")
    assert len(program(Attention(1, 20, 24, 16, 16)).plan.steps) == 1
    found = vtac.compile(other, "cuda")
    assert isinstance(found, vtac.CudaNetwork)
    assert len(found.plan.steps) == 3


LINES = {
    "query": ("-> (h, i, d)>", "-> (h, d, i)>", "2x1x32xf16", "2x32x1xf16"),
    "keys": ("j, d) -> (h, j, d)>", "j, d) -> (h, d, j)>", "2x1x32xf16", "2x32x1xf16"),
    "values": ("d, j) -> (h, j, d)>", "d, j) -> (h, d, j)>", "2x1x48xf16", "2x48x1xf16"),
}


@needs_compiler
@pytest.mark.parametrize(("name", "number"), [("query", 0), ("keys", 1), ("values", 2)])
def test_one_row_is_read_transposed(name: str, number: int) -> None:
    attention = Attention(2, 1, 20, 32, 48) if name == "query" else Attention(2, 20, 1, 32, 48)
    at, transposed, kind, other = LINES[name]
    found = vtac.compile(attention.text().replace(at, transposed, 1).replace(kind, other), "cuda")
    assert isinstance(found, vtac.CudaNetwork)
    assert len(found.plan.steps) == 1
    arrays = attention.inputs()
    given = list(arrays)
    given[number] = np.ascontiguousarray(arrays[number].swapaxes(1, 2))
    (result,) = found.run_on_cpu(given).outputs
    assert attention.difference(result, arrays) <= 1


def masked(predicate: str, *ends: str) -> str:
    """A causal attention of 20 rows whose mask compares other values: `ends` make %in_r and %in_k of a type."""
    text = Attention(1, 20, 200, 16, 16, causal=True).text()
    line = "%in_counts = arith.cmpi sge, %in_row, %in_key : index"
    assert line in text
    kind = ends[-1].split()[-1]
    return text.replace(line, "\n".join([*ends, f"%in_counts = arith.cmpi {predicate}, %in_r, %in_k : {kind}"]))


def casts(kind: str) -> list[str]:
    return [f"%in_{one[0]} = arith.index_cast %in_{one} : index to {kind}" for one in ("row", "key")]


DIFFERENCE = ["%in_k = arith.constant 0 : index", "%in_r = arith.subi %in_row, %in_key : index"]
WRAPPED = [f"%in_{one} = arith.trunci %in_{one}_wide : i32 to i8" for one in "rk"]
EXACT = {"i32": ("sge", *casts("i32")), "unsigned": ("uge", *casts("i64")), "a difference": ("sge", *DIFFERENCE)}
INEXACT = {
    "i8": ("sge", *casts("i8")),
    "truncated": ("sge", *(line.replace(" =", "_wide =") for line in casts("i32")), *WRAPPED),
    "an unsigned difference": ("uge", *DIFFERENCE),
    "a sum that wraps": (
        "sge",
        casts("i32")[1],
        "%in_far = arith.constant 2147483640 : i32",
        casts("i32")[0].replace("%in_r =", "%in_near ="),
        "%in_r = arith.addi %in_near, %in_far : i32",
    ),
    "an unsigned constant": (
        "sge",
        casts("i32")[1],
        "%in_near = arith.constant -1 : i8",
        "%in_r = arith.extui %in_near : i8 to i32",
    ),
}


@needs_compiler
@pytest.mark.parametrize("name", EXACT)
def test_a_mask_by_indices_of_other_types(name: str) -> None:
    attention = Attention(1, 20, 200, 16, 16, causal=True)
    found = vtac.compile(masked(*EXACT[name]), "cuda")
    assert isinstance(found, vtac.CudaNetwork)
    arrays = attention.inputs()
    assert attention.difference(found.run_on_cpu(arrays).outputs[0], arrays) <= 1


@pytest.mark.parametrize("name", INEXACT)
def test_a_mask_that_may_wrap_is_no_causal_one(name: str) -> None:
    with pytest.raises(
        CompileError,
        match=r"as attention: its mask by indices has to .* in a type whose numbers do not wrap around; no other",
    ):
        vtac.compile(masked(*INEXACT[name]), "cuda")
