"""Attention on mma.sync: text and level against float64, planted faults, and what it leaves out of shared memory."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

import vtac
from vtac.analysis.attention.attention_tiles import attention_tiling
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import KernelFault
from vtac.evaluate import evaluate
from vtac.pipelines import Runner
from vtac.targets.cuda.compiling import kernel_modules, kernels_apart
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.text.context import make_context
from vtac.workloads.attention import Attention

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)

SIZES = {
    "one of each": Attention(1, 1, 1, 16, 16),
    "whole tiles, heads of 64": Attention(2, 64, 128, 64, 64),
    "primes, heads of 64, masked": Attention(2, 37, 101, 64, 64, mask=True),
    "heads of 128 in bf16": Attention(1, 33, 70, 128, 128, "bf16"),
    "causal, more rows than a block": Attention(1, 90, 90, 32, 32, causal=True),
    "heads of 48 and 80": Attention(3, 20, 17, 48, 80),
}


def asking(text: str, instructions: str = "mma.sync") -> str:
    return f'module attributes {{wmma.instructions = "{instructions}"}} {{\n{text}}}\n'


@cache
def program(attention: Attention, architecture: str | None = None) -> vtac.CudaNetwork:
    found = vtac.compile(asking(attention.text()), "cuda", architecture)
    assert isinstance(found, vtac.CudaNetwork)
    return found


@needs_compiler
@pytest.mark.parametrize("name", SIZES)
def test_the_text_equals_float64(name: str) -> None:
    attention, found = SIZES[name], program(SIZES[name])
    arrays = attention.inputs()
    (result,) = found.run_on_cpu(arrays).outputs
    assert "mma_m16n8k16_" in found.text
    assert attention.difference(result, arrays) <= 1


@pytest.mark.parametrize("name", ["one of each", "primes, heads of 64, masked", "heads of 128 in bf16"])
def test_its_level_equals_float64(name: str) -> None:
    attention = SIZES[name]
    arrays = attention.inputs()
    apart = kernels_apart(vtac.parse(asking(attention.text())))
    assert apart is not None
    (kernel,) = kernel_modules(apart).values()
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, kernel)
    found = evaluate(kernel, *arrays)
    assert isinstance(found, np.ndarray)
    assert attention.difference(found, arrays) <= 1


PLANTED = {
    "sums are not rescaled": (r"change\[(.)\] = expf\([^;]*;", r"change[\1] = 1.0f;"),
    "keys that are none count": (r"< 101\) \?", "< 128) ?"),
    "one key too few": (r"< 101\) \?", "< 100) ?"),
    "rows meet with half of their lanes": (r"__shfl_xor_sync\(~0u, (\w+), 2\)", r"__shfl_xor_sync(~0u, \1, 1)"),
    "rows meet with another row's lanes": (r"__shfl_xor_sync\(~0u, (\w+), 2\)", r"__shfl_xor_sync(~0u, \1, 4)"),
    "weights change places": (r"\[0\]\[1\] = pack_f16\((.*)\[2\], (.*)\[3\]\)", r"[0][1] = pack_f16(\1[3], \2[2])"),
    "weights of other keys": (r"\[0\]\[2\] = pack", "[0][3] = pack"),
    "values are not transposed": (r"x4\.trans\.shared", "x4.shared"),
    "a tile of keys is loaded for another": (r"ldmatrix_x4\((\w+)\[0\], \1\[0 \+ 1\]", r"ldmatrix_x4(\1[0 + 1], \1[0]"),
}


@needs_compiler
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_gives_other_numbers(name: str) -> None:
    attention = SIZES["primes, heads of 64, masked"]
    pattern, instead = PLANTED[name]
    found = program(attention)
    text, count = re.subn(pattern, instead, found.text)
    assert count, found.text
    arrays = attention.inputs()
    with np.errstate(invalid="ignore"):
        run = run_on_cpu(text, found.plan.kernels[0], arrays, orders=1)
        assert not attention.difference(run.outputs[0], arrays) <= 1


@needs_compiler
@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("< 37)", "< 64)", "out-of-bounds"),
        ("< 37);", "< 64);", "out-of-bounds"),
        ("__syncthreads();", ";", "race"),
    ],
    ids=["rows", "keys", "barrier"],
)
def test_a_planted_fault_is_met(old: str, new: str, kind: str) -> None:
    attention = Attention(1, 37, 101, 64, 64)
    text = program(attention).text
    assert old in text, text
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(text.replace(old, new), program(attention).plan.kernels[0], attention.inputs(), orders=2)
    assert caught.value.kind == kind


@needs_disassembler
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize("features", [64, 128])
def test_scores_stay_in_registers(features: int, architecture: str) -> None:
    found = program(Attention(2, 512, 512, features, features), architecture)
    launch = found.plan.kernels[0]
    compiled = compile_kernel(found.text, launch.kernel, architecture)
    counts = count_instructions(disassemble(compiled))
    assert not compiled.spills
    assert counts.local_accesses == counts.generic_accesses == 0
    assert compiled.resident_blocks(launch) >= 2
    operands = 2 * 64 * 5 * (features + 8)  # queries, and two stages of keys and values
    assert compiled.static_shared_bytes + launch.shared_bytes <= operands


def test_a_module_that_asks_for_nothing_gets_fragments() -> None:
    attention = SIZES["whole tiles, heads of 64"]
    plain = vtac.compile(attention.text(), "cuda", "sm_90")
    assert "wmma::mma_sync" in str(plain.text)
    estimated = vtac.compile(asking(attention.text(), "estimated"), "cuda", "sm_90")
    assert "shfl_xor" in str(estimated.text)


def test_blocks_need_less_shared_memory() -> None:
    sizes, record = (512, 512, 128, 128), gpu_architecture("sm_90")
    fragments, lanes = (attention_tiling(sizes, record, on_lanes=on_lanes) for on_lanes in (False, True))
    assert fragments is not None
    assert lanes is not None
    assert lanes.rows * lanes.keys >= fragments.rows * fragments.keys
    assert lanes.shared_bytes(128, 128) < fragments.shared_bytes(128, 128)
