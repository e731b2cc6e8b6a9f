"""Attention on mma.sync whose keys and values are copied ahead, of large heads, and of heads that share keys."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from shared_heads import grouped
from xdsl.ir.affine import AffineMap

import vtac
from vtac.analysis.attention.attention_tiles import attention_tiling, heads_to_join
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import KernelFault
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.workloads.attention import Attention

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
CASES = {
    "two steps": Attention(2, 64, 128, 64, 64),
    "five steps, the last in part": Attention(1, 37, 301, 64, 64),
    "causal": Attention(2, 150, 150, 32, 32, causal=True),
    "causal, of more keys than rows": Attention(1, 70, 200, 64, 64, causal=True),
    "masked, in bf16": Attention(1, 33, 140, 128, 128, "bf16", mask=True),
    "heads of 256": Attention(1, 40, 150, 256, 256),
    "heads of 256, causal, in bf16": Attention(1, 70, 70, 256, 256, "bf16", causal=True),
    "heads of 200 and 256": Attention(2, 17, 50, 208, 256),
}


def asking(text: str) -> str:
    return f'module attributes {{wmma.instructions = "mma.sync"}} {{\n{text}}}\n'


@cache
def program(attention: Attention, architecture: str | None = None) -> vtac.CudaNetwork:
    found = vtac.compile(asking(attention.text()), "cuda", architecture)
    assert isinstance(found, vtac.CudaNetwork)
    return found


@needs_cpu
@pytest.mark.parametrize("architecture", ["sm_80", None])
@pytest.mark.parametrize("name", CASES)
def test_every_order_of_threads_equals_float64(name: str, architecture: str | None) -> None:
    attention = CASES[name]
    found, arrays = program(attention, architecture), attention.inputs()
    run = run_on_cpu(found.text, found.plan.kernels[0], arrays, orders=3)
    assert "mma_m16n8k16_" in found.text
    assert attention.difference(run.outputs[0], arrays) <= 1


def test_copies_run_ahead_where_there_is_a_step_to_run_ahead_of() -> None:
    """And where vectors can be copied: rows of 40 bytes are no multiples of 16."""
    assert "__pipeline_memcpy_async(" in program(CASES["two steps"]).text
    assert "__pipeline_memcpy_async(" not in program(Attention(2, 64, 64, 64, 64)).text
    extents, record = (64, 128, 64, 64), gpu_architecture("sm_80")
    ahead, plain = (attention_tiling(extents, record, on_lanes=True, ahead=one) for one in (True, False))
    assert ahead is not None and plain is not None
    assert (ahead.stages, plain.stages) == (2, 1)
    assert ahead.shared_bytes(64, 64) - plain.shared_bytes(64, 64) == 2 * 64 * 2 * 72


PLANTED = {
    "copies that nobody waits for": ("__pipeline_wait_prior(stages - 2)", "__pipeline_wait_prior(stages - 1)"),
    "copies of no group": ("    __pipeline_commit();", ""),
    "no barrier after the wait": ("__syncthreads();\n    if (step", "if (step"),
    "the slot in use": ("(step + stages - 1) % stages", "step % stages"),
    "a step copied twice": ("k_from + step * 4096", "k_from + (step - 1) * 4096"),
    "keys of a step further": ("warp_row * 4 < 237)", "warp_row * 4 < 300)"),
    "zeros for the last keys": ("warp_row * 4 < 237)", "warp_row * 4 < 200)"),
    "no barrier before queries are loaded": ("  __syncthreads();\n", ""),
}


@needs_cpu
@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_of_the_pipeline_are_found(name: str) -> None:
    attention = CASES["five steps, the last in part"]
    old, new = PLANTED[name]
    found, arrays = program(attention), attention.inputs()
    assert old in found.text, found.text
    try:
        with np.errstate(invalid="ignore"):
            run = run_on_cpu(found.text.replace(old, new, 1), found.plan.kernels[0], arrays, orders=3)
    except KernelFault as fault:
        assert fault.kind in ("race", "uninitialised", "out-of-bounds", "unordered", "async-copy"), fault.kind
        return
    assert not attention.difference(run.outputs[0], arrays) <= 1


@needs_cpu
@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"query_tile_address \+ 2 \* \((\w+) \+ slice \* 16\)", r"query_tile_address + 2 * \1"),
        (r"(sums\[\w+ \* 2\]), left\[0\]", r"\1, left_1[0]"),
    ],
    ids=["the first slice of queries for all", "queries in place of weights"],
)
def test_planted_faults_of_queries_that_are_loaded_again(pattern: str, instead: str) -> None:
    attention = CASES["heads of 256"]
    found, arrays = program(attention), attention.inputs()
    text, count = re.subn(pattern, instead, found.text)
    if not count:
        pytest.fail(found.text[:20000])
    run = run_on_cpu(text, found.plan.kernels[0], arrays, orders=1)
    assert not attention.difference(run.outputs[0], arrays) <= 1


@needs_toolkit
@pytest.mark.parametrize("architecture", ["sm_80", "sm_86", "sm_90", "sm_120"])
@pytest.mark.parametrize("features", [64, 128, 256])
def test_nothing_spills(features: int, architecture: str) -> None:
    found = program(Attention(2, 512, 512, features, features), architecture)
    compiled = compile_kernel(found.text, found.plan.kernels[0].kernel, architecture)
    assert not compiled.spills
    assert compiled.resident_blocks(found.plan.kernels[0]) >= 1


def test_heads_beyond_the_registers_stay_several_kernels() -> None:
    assert attention_tiling((32, 32, 384, 384), gpu_architecture("sm_80"), on_lanes=True) is None
    assert len(program(Attention(1, 32, 32, 384, 384), "sm_80").plan.kernels) > 1


@cache
def shared(order: str, rows: int) -> vtac.CudaNetwork:
    found = vtac.compile(asking(grouped(order, rows=rows)), "cuda", "sm_80")
    assert isinstance(found, vtac.CudaNetwork)
    return found


def differs(found: vtac.CudaNetwork, order: str, text: str | None = None) -> bool:
    """Whether a program of heads that share keys gives other numbers than float64."""
    generator = np.random.default_rng(0)
    arrays = [generator.standard_normal(one.shape).astype(np.float16) for one in found.arguments]
    run = run_on_cpu(text or found.text, found.plan.kernels[0], arrays, orders=2)
    q, k, v = (array.astype(np.float64) for array in arrays)
    scores = np.einsum(f"{order}d,hjd->{order}j", q, k) / 4
    parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
    expected = np.einsum(f"{order}j,hjc->{order}c", parts / parts.sum(axis=-1, keepdims=True), v)
    return not np.max(np.abs(run.outputs[0] - expected)) <= 3 * 2**-11 * np.max(np.abs(expected))


@needs_cpu
@pytest.mark.parametrize(("rows", "grid", "warps"), [(1, (1, 2), 1), (5, (1, 2), 1), (20, (1, 2), 4), (40, (2, 6), 2)])
@pytest.mark.parametrize("order", ["hgi", "hig", "ihg"])
def test_heads_that_share_keys_fill_tiles_together(order: str, rows: int, grid: tuple[int, int], warps: int) -> None:
    """Three heads of 20 rows are 60 rows of one; of 40 rows they would save one tile of nine, and stay apart."""
    found = shared(order, rows)
    kernel = found.plan.kernels[0]
    assert (kernel.grid[:2], kernel.block[1]) == (grid, warps)
    assert not differs(found, order)


@needs_cpu
@pytest.mark.parametrize(
    ("pattern", "instead"),
    [(r"/ 5 % 3", "/ 6 % 3"), (r"% 5 \*", "% 4 *"), (r"< 7\)", "< 8)"), (r"< 15\)", "< 14)")],
    ids=["rows of another head", "another row of a head", "a row beyond the last head", "a row too few"],
)
def test_planted_faults_of_joined_heads_are_found(pattern: str, instead: str) -> None:
    found = shared("hgi", 5) if "<" in pattern else shared("ihg", 5)
    text, count = re.subn(pattern, instead, found.text)
    assert count, found.text
    try:
        assert differs(found, "hgi" if "<" in pattern else "ihg", text)
    except KernelFault as fault:
        assert fault.kind == "race"


def test_which_heads_are_joined() -> None:
    keys, values = (AffineMap.from_callable(lambda b, h, g, i, d: (b, h, i, d)) for _ in range(2))
    own = AffineMap.from_callable(lambda b, h, g, i, d: (b, h, g, i, d))
    assert heads_to_join((2, 3, 8), 1, keys, values) == (2,)
    assert heads_to_join((2, 3, 8), 16, keys, values) == ()
    assert heads_to_join((2, 3, 8), 1, keys, own) == ()
    assert heads_to_join((2, 3, 1), 1, keys, values) == ()
    assert heads_to_join((2, 3, 32512), 1, keys, values, unknown=32512) == ()
