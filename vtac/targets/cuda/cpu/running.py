"""Runs a kernel's text on the CPU: the real launch, or sampled blocks of it, in several thread orders."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vtac.errors import KernelFault, LaunchError
from vtac.targets.cuda.arrays import Array, checked_inputs
from vtac.targets.cuda.cpu.source import host_program
from vtac.targets.cuda.cpu.toolchain import compile_program
from vtac.targets.cuda.launch import LaunchRecord, Parameter

_PATTERNS = (0xFF, 0xFE)
_FAULT = re.compile(r"^vtac-fault (\S+) (.*)$", re.MULTILINE)
_WORKERS_LIMIT = 16


@dataclass(frozen=True, slots=True)
class CpuRun:
    """Outputs of a run, in the launch record's order.

    `written[i]` marks the elements of `outputs[i]` that a block wrote (with one order alone an
    element equal to the fill pattern 0xFF counts as unwritten); `blocks` are the linear numbers
    of the blocks that ran, x fastest.
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
    orders: int = 2,
    seed: int = 0,
    workers: int | None = None,
    timeout_seconds: float = 600.0,
) -> CpuRun:
    """Execute CUDA C++ text without a GPU and return its outputs.

    `arrays` are the inputs in the record's order, with its shapes and dtypes (bfloat16 as
    uint16). `blocks` is a number of blocks to sample (the corners of the grid first), their
    linear numbers, or None for all. Threads run in `orders` orders: ascending, descending,
    then random ones drawn from `seed`; all must give the same outputs, bit for bit. `workers`
    processes share the blocks, by default one per core.

    Raises `KernelFault` for what the kernel does wrong, `KernelTextError` for text that does
    not compile, `LaunchError` for arrays that do not fit, `ToolMissingError` without a compiler.
    """
    if orders < 1:
        raise LaunchError(f"orders is {orders}; at least one order of threads must run")
    inputs = checked_inputs(launch, arrays)
    chosen = _chosen_blocks(launch, blocks, seed)
    executable = compile_program(host_program(text, launch))
    count = min(workers or os.cpu_count() or 1, len(chosen), _WORKERS_LIMIT)
    with tempfile.TemporaryDirectory(prefix="vtac-") as directory:
        scratch = Path(directory)
        paths = [scratch / _file_name(i) for i, p in enumerate(launch.parameters) if p.role == "input"]
        for path, array in zip(paths, inputs, strict=True):
            array.tofile(path)
        runs = [
            _run_order(executable, launch, scratch, order, seed, chosen, count, timeout_seconds)
            for order in range(orders)
        ]
    written = tuple(_written([run[i] for run in runs]) for i in range(len(launch.outputs)))
    for parameter, *results, mask in zip(launch.outputs, *runs, written, strict=True):
        _compare_orders(parameter, results, mask)
    return CpuRun(runs[0], written, chosen)


def _chosen_blocks(launch: LaunchRecord, blocks: int | Sequence[int] | None, seed: int) -> tuple[int, ...]:
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


def _run_order(
    executable: Path,
    launch: LaunchRecord,
    scratch: Path,
    order: int,
    seed: int,
    blocks: tuple[int, ...],
    workers: int,
    timeout_seconds: float,
) -> tuple[Array, ...]:
    pattern = _PATTERNS[order % len(_PATTERNS)]
    words = [*launch.grid, *launch.block, launch.shared_bytes, order, seed & 0xFFFFFFFF, pattern, workers]
    lines = ["launch " + " ".join(map(str, words)), f"parameters {len(launch.parameters)}"]
    lines += [f"{p.name} {p.role} {p.dtype} {p.nbytes} {_file_name(i)}" for i, p in enumerate(launch.parameters)]
    lines.append(f"blocks {len(blocks)} " + " ".join(map(str, blocks)))
    (scratch / "job").write_text("\n".join(lines) + "\n", encoding="ascii")
    status, errors = _run_job(executable, scratch, timeout_seconds)
    if status is None:
        raise KernelFault("timeout", f"kernel `{launch.kernel}` ran for more than {timeout_seconds:g} s")
    if status != 0:
        raise _fault(launch, status, errors, order)
    return tuple(
        np.fromfile(scratch / _file_name(i), dtype=p.numpy_dtype).reshape(p.shape)
        for i, p in enumerate(launch.parameters)
        if p.role == "output"
    )


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
            process.communicate()  # until no worker holds the pipe any longer
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None, ""
    return process.returncode, errors.decode(errors="replace")


def _file_name(position: int) -> str:
    return f"{position}.bin"


def _fault(launch: LaunchRecord, status: int, errors: str, order: int) -> KernelFault:
    match = _FAULT.search(errors)
    if match is None:
        return KernelFault("crash", f"kernel `{launch.kernel}` ended with status {status}: {errors.strip()[-400:]}")
    kind, text = match.groups()
    return KernelFault(kind, f"kernel `{launch.kernel}`: {kind}: {text} (thread order {order})")


def _written(runs: list[Array]) -> NDArray[np.bool_]:
    """True where some run's bytes differ from what its output was filled with."""
    mask = np.zeros(runs[0].shape, dtype=np.bool_)
    for order, run in enumerate(runs[: len(_PATTERNS)]):
        mask |= _bits(run) != int.from_bytes(bytes([_PATTERNS[order]] * run.itemsize))
    return mask


def _bits(array: Array) -> NDArray[np.unsignedinteger]:
    return array.view(f"u{array.itemsize}")


def _compare_orders(parameter: Parameter, results: list[Array], mask: NDArray[np.bool_]) -> None:
    for order, result in enumerate(results[1:], start=1):
        differs = (_bits(results[0]) != _bits(result)) & mask
        if not differs.any():
            continue
        index = tuple(int(i) for i in np.argwhere(differs)[0])
        raise KernelFault(
            "order-dependent",
            f"output `{parameter.name}` depends on the order of threads: {int(differs.sum())} of {differs.size} "
            f"elements differ between orders 0 and {order}, the first at {list(index)} ({results[0][index]} and "
            f"{result[index]}); a barrier or a wait is missing, or the kernel reads what nobody wrote",
        )
