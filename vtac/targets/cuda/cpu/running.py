"""Runs a kernel's text on the CPU: the real launch, or sampled blocks of it, in several thread orders."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.clusters import whole_clusters
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import KernelFault, LaunchError
from vtac.targets.cuda.arrays import Array, checked_inputs
from vtac.targets.cuda.cpu.faults import Failure, fault_of, tells_fault
from vtac.targets.cuda.cpu.results import PATTERNS, compare_orders, written_by
from vtac.targets.cuda.cpu.source import host_program
from vtac.targets.cuda.cpu.toolchain import compile_program
from vtac.targets.cuda.launch import ELEMENT_BYTES, LaunchRecord, Parameter

_RANK_LIMIT = 12  # of the runtime's shapes; others are told as one dimension
_WORKERS_LIMIT = 16


@dataclass(frozen=True, slots=True)
class CpuRun:
    """Outputs of a run, in the launch record's order.

    `written[i]` marks the elements of `outputs[i]` that a block wrote (with one order alone an
    element equal to the fill pattern 0xFF counts as unwritten); `blocks` are the linear numbers
    of the blocks that ran, x fastest; those of a cluster by their ranks.
    """

    outputs: tuple[Array, ...]
    written: tuple[NDArray[np.bool_], ...]
    blocks: tuple[int, ...]


def run_on_cpu(
    text: str,
    launch: LaunchRecord,
    arrays: Sequence[Array],
    *,
    blocks: int | Sequence[int] | None = None,
    orders: int | Sequence[int] = 3,
    races: bool = True,
    seed: int = 0,
    workers: int | None = None,
    timeout_seconds: float = 600.0,
) -> CpuRun:
    """Execute CUDA C++ text without a GPU and return its outputs.

    `arrays` are the inputs in the record's order, with its shapes and dtypes (bfloat16 as
    uint16). `blocks` is a number of blocks to sample (the corners of the grid first), their
    linear numbers, or None for all; of clusters every block of a sampled one runs, all at once.
    Threads run in several orders, the first `orders` or those named, which must give the same
    outputs, bit for bit: warps one after the other as far as the next block barrier, the first
    thread first (0) or the last (1); all warps in lock step from one warp barrier to the next,
    ascending (2) or descending (3); then sequences drawn from `seed`. With `races` the first
    order also finds every two accesses of shared memory or of an output, one of them a write,
    that no barrier orders. `workers` processes share the blocks, by default one per core.

    Raises `KernelFault` for what the kernel does wrong, `KernelTextError` for text that does
    not compile, `LaunchError` for arrays that do not fit, `ToolMissingError` without a compiler.
    """
    numbers = tuple(range(orders)) if isinstance(orders, int) else tuple(orders)
    if not numbers or min(numbers) < 0:
        raise LaunchError(f"orders is {orders}; at least one order of threads must run, and they count from 0")
    inputs = checked_inputs(launch, arrays)
    chosen = _chosen_blocks(launch, blocks, seed)
    executable = compile_program(host_program(text, launch), races=races)
    count = min(workers or os.cpu_count() or 1, len(chosen) // launch.cluster_blocks, _WORKERS_LIMIT)
    with tempfile.TemporaryDirectory(prefix="vtac-") as directory:
        scratch = Path(directory)
        paths = [scratch / _file_name(i) for i, p in enumerate(launch.parameters) if p.role == "input"]
        for path, array in zip(paths, inputs, strict=True):
            array.tofile(path)
        job = _Job(executable, text, launch, scratch, seed, chosen, count, timeout_seconds)
        runs = [_run_order(job, i, order, races=races and i == 0) for i, order in enumerate(numbers)]
    written = tuple(written_by([run[i] for run in runs]) for i in range(len(launch.outputs)))
    for parameter, *results, mask in zip(launch.outputs, *runs, written, strict=True):
        compare_orders(parameter, numbers, results, mask)
    return CpuRun(runs[0], written, chosen)


def _chosen_blocks(launch: LaunchRecord, blocks: int | Sequence[int] | None, seed: int) -> tuple[int, ...]:
    """The blocks that run, those of each cluster by rank."""
    chosen = _named_blocks(launch, blocks, seed)
    return chosen if launch.cluster is None else whole_clusters(launch.grid, launch.cluster, chosen)


def _named_blocks(launch: LaunchRecord, blocks: int | Sequence[int] | None, seed: int) -> tuple[int, ...]:
    everything = launch.blocks
    if blocks is None:
        return tuple(range(everything))
    if isinstance(blocks, int):
        if blocks < 1:
            raise LaunchError(f"blocks is {blocks}; at least one block must run")
        return _sample(launch, blocks, seed)
    wrong = [block for block in blocks if not 0 <= block < everything]
    if wrong or not blocks:
        raise LaunchError(f"blocks {wrong}: the grid {list(launch.grid)} has the blocks 0 to {everything - 1}")
    return tuple(dict.fromkeys(blocks))


def _sample(launch: LaunchRecord, count: int, seed: int) -> tuple[int, ...]:
    everything = launch.blocks
    if count >= everything:
        return tuple(range(everything))
    x, y, z = launch.grid
    corners = {i + x * (j + y * k) for k in (0, z - 1) for j in (0, y - 1) for i in (0, x - 1)}
    chosen = sorted(corners, key=lambda block: (block not in (0, everything - 1), block))[:count]
    generator = random.Random(seed)
    while len(chosen) < count:
        block = generator.randrange(everything)
        if block not in chosen:
            chosen.append(block)
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True)
class _Job:
    """A kernel that is ready to run: its inputs lie in `scratch`."""

    executable: Path
    text: str
    launch: LaunchRecord
    scratch: Path
    seed: int
    blocks: tuple[int, ...]
    workers: int
    timeout_seconds: float


def _run_order(job: _Job, position: int, order: int, *, races: bool) -> tuple[Array, ...]:
    """The outputs of one order, which is the `position`-th that runs."""
    launch = job.launch
    pattern = PATTERNS[position % len(PATTERNS)]
    seed = job.seed & 0xFFFFFFFF
    words = [*launch.grid, *launch.block, launch.shared_bytes, order, seed, pattern, job.workers, int(races)]
    words.append(launch.cluster_blocks)
    lines = ["launch " + " ".join(map(str, words)), f"parameters {len(launch.parameters)}"]
    lines += [_parameter_line(i, p) for i, p in enumerate(launch.parameters)]
    lines.append(f"maps {len(launch.tensor_maps)}")
    lines += [_map_line(launch.map_position(one), one) for one in launch.tensor_maps]
    lines.append(f"blocks {len(job.blocks)} " + " ".join(map(str, job.blocks)))
    (job.scratch / "job").write_text("\n".join(lines) + "\n", encoding="ascii")
    status, errors = _run_job(job.executable, job.scratch, job.timeout_seconds)
    if status is None and not tells_fault(errors):
        raise KernelFault("timeout", f"kernel `{launch.kernel}` ran for more than {job.timeout_seconds:g} s")
    if status != 0:
        raise fault_of(Failure(status or 0, errors, order), job.executable, job.text, launch)
    return tuple(
        np.fromfile(job.scratch / _file_name(i), dtype=p.numpy_dtype).reshape(p.shape)
        for i, p in enumerate(launch.parameters)
        if p.role == "output"
    )


def _parameter_line(position: int, parameter: Parameter) -> str:
    p = parameter
    shape = p.shape if 0 < len(p.shape) <= _RANK_LIMIT else (p.elements,)
    words = [p.name, p.role, p.dtype, p.nbytes, _file_name(position), ELEMENT_BYTES[p.dtype], len(shape), *shape]
    return " ".join(map(str, words))


def _map_line(position: int, one: TensorMap) -> str:
    box = one.box if one.corners is None else (*one.box, *(1,) * (one.rank - len(one.box)))
    dimensions = zip(one.extents, (one.element_bytes, *one.strides), box, one.steps, strict=True)
    corners = [*zip(one.corners.lower, one.corners.upper, strict=True)] if one.corners is not None else []
    words = [position, one.element_bytes, one.swizzle, int(one.fill == "nan"), len(corners), one.rank]
    words += [number for dimension in (*dimensions, *corners) for number in dimension]
    return " ".join(map(str, words))


def _run_job(executable: Path, scratch: Path, timeout_seconds: float) -> tuple[int | None, str]:
    """Exit status and errors of a job; no status when it had to be ended, with the workers it had started."""
    with subprocess.Popen(
        [str(executable), "job"],
        cwd=scratch,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=timeout_seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            _, errors = process.communicate()  # until no worker holds the pipe any longer
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None, errors.decode(errors="replace")
    return process.returncode, errors.decode(errors="replace")


def _file_name(position: int) -> str:
    return f"{position}.bin"
