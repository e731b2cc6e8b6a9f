"""Tensor cores: the seed schedule, the fast one, the best of the space of tilings, and the vendor's library.

Without a GPU: registers and shared memory from the compiler; `--prepare DIR --arch sm_90` compiles everything for a
machine that is only lent. There, `--prepared DIR --budget 780 --record FILE` measures as much as fits into 13 minutes,
writes each measurement as a line of JSON as soon as there is one, and stops by itself. Programs and the vendor's
library (cuDNN and cuBLAS through torch) take turns; times are of bursts in one graph, with the cache flushed and
without; data are random with a normal distribution; sampled rows are compared with float64.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from tensor_core_data import normal_arrays, reference, vendor_sample
from tensor_core_programs import Entry, Work, prepare, prepared, programs, works

from vtac.cuda import GpuArchitecture, gpu_architecture, gpu_architectures, load
from vtac.errors import LaunchError, ToolMissingError, VtacError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.comparison import compare
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.device import open_device
from vtac.targets.cuda.gpu.launcher import OpenRun, Timing
from vtac.targets.cuda.gpu.measuring import Budget, Measurement, Sample, in_turns

_FLUSH_BYTES = 256 << 20
_WORKLOAD_SECONDS = 25
"""What a workload takes at least: data, its first launches, a reference."""
_ALLOWED = {"float32": 2e-3, "float16": 4e-3}


def resources(chosen: list[Work], architectures: list[GpuArchitecture]) -> None:
    """What the compiler gives each kernel on each architecture."""
    print(f"{'':28}{'':9}{'':8}{'registers':>10}{'shared bytes':>14}{'spilled':>9}{'blocks/SM':>11}{'warps/SM':>10}")
    for work in chosen:
        for architecture in architectures:
            for name, program in programs(work, architecture):
                compiled = compile_kernel(program.text, program.launch.kernel, architecture.name)
                blocks = compiled.resident_blocks(program.launch)
                spilled = compiled.spill_load_bytes + compiled.spill_store_bytes
                shared = compiled.static_shared_bytes + program.launch.shared_bytes
                warps = blocks * program.launch.threads // architecture.warp_size
                head = f"{work.name:28}{name:9}{architecture.name:8}"
                print(f"{head}{compiled.registers:>10}{shared:>14,}{spilled:>9}{blocks:>11}{warps:>10}")


def measure(folder: Path, budget: Budget, rounds: int, record: Callable[[Measurement], None]) -> None:
    """Measure what is prepared, workload by workload, as far as the budget goes."""
    entries = prepared(folder)
    for work in dict.fromkeys(entry.work for entry in entries):
        if not budget.allows(_WORKLOAD_SECONDS):
            print(f"{work.name} and what follows is left out: {budget.left:.0f} seconds are left", file=sys.stderr)
            return
        with ExitStack() as held:
            own = [entry for entry in entries if entry.work == work]
            _measure(
                work,
                {entry.program: load(folder / entry.folder) for entry in own},
                {entry.program: entry for entry in own},
                budget,
                rounds,
                record,
                held,
            )


def _measure(
    work: Work,
    contenders: Mapping[str, Any],
    entries: Mapping[str, Entry],
    budget: Budget,
    rounds: int,
    record: Callable[[Measurement], None],
    held: ExitStack,
) -> None:
    arrays = normal_arrays(next(iter(contenders.values())).arguments)
    runs: dict[str, OpenRun] = {}
    for name, program in contenders.items():
        try:
            runs[name] = held.enter_context(program.opened_on_gpu(arrays))
            runs[name].launch()
        except LaunchError as error:
            print(f"{work.name}, {name}: {error}", file=sys.stderr)
    runs = {name: run for name, run in runs.items() if run.addresses}
    expected, wanted = reference(work, arrays, next(iter(contenders.values())).results[0].shape)
    vendor = held.enter_context(vendor_sample(work, arrays))
    for flushed in (False, True):
        samples: dict[str, Sample] = {name: _sample(run, flushed) for name, run in runs.items()}
        if vendor is not None and not flushed:
            samples["vendor"] = vendor
        for name, times in in_turns(samples, rounds, budget).items():
            made = _measurement(work, name, runs.get(name), times, flushed, expected, wanted)
            entry = entries.get(name)
            record(made if entry is None else replace(made, product=entry.product, tiling=entry.tiling))


def _sample(run: OpenRun, flushed: bool) -> Sample:
    timing = Timing(1, 0, 1, _FLUSH_BYTES) if flushed else Timing(1, 1, 10)
    return lambda: run.timed(timing)[0]


def _measurement(
    work: Work, name: str, run: OpenRun | None, times: tuple[float, ...], flushed: bool, expected: Array, wanted: Array
) -> Measurement:
    device = open_device()
    common = (device.name, device.architecture)
    if run is None:
        return Measurement(
            work.name, name, *common, "the vendor's", "float16", flushed, work.operations, times, 0.0, 0.0
        )
    (output,), compiled, launch = run.outputs(), run.compiled[0], run.loaded.plan.kernels[0]
    found = compare(output, expected, wanted, _ALLOWED[str(output.dtype)])
    return Measurement(
        work.name,
        name,
        *common,
        compiled.compiler,
        str(output.dtype),
        flushed,
        work.operations,
        times,
        found.max_error,
        found.tolerance,
        compiled.registers,
        compiled.static_shared_bytes + launch.shared_bytes,
        compiled.resident_blocks(launch),
    )


def shown(one: Measurement) -> str:
    """A row of the table."""
    state = "" if one.is_right else "   WRONG RESULT"
    cache = "flushed" if one.flushed else ""
    return f"{one.workload:28}{one.program:9}{cache:8}{one.median:>10.4f} ms{one.tera_operations:>10.1f} TFLOP/s{state}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python benchmarks/tensor_cores.py --prepare build/lent --arch sm_90",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = ", ".join(gpu_architectures())
    parser.add_argument("--arch", nargs="*", metavar="sm_NN", help=f"architectures to compile for; known: {known}")
    parser.add_argument("--sizes", nargs="*", type=int, default=[8192, 4096, 2048], help="of the square products")
    parser.add_argument(
        "--prepare", type=Path, metavar="DIR", help="save compiled programs there, for one architecture"
    )
    parser.add_argument("--prepared", type=Path, metavar="DIR", help="measure the programs that were saved there")
    parser.add_argument("--budget", type=float, default=780, help="seconds to measure in (780: of 15 minutes)")
    parser.add_argument("--rounds", type=int, default=20, help="times of each program; fewer where the budget ends")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append measurements there, one line of JSON each")
    options = parser.parse_args(arguments)
    chosen = works(options.sizes)
    try:
        if options.prepared:
            _run(options)
        elif options.prepare:
            (name,) = options.arch or ["sm_90"]
            prepare(options.prepare, chosen, gpu_architecture(name))
        else:
            resources(chosen, [gpu_architecture(name) for name in options.arch or gpu_architectures()])
    except ToolMissingError as error:
        print(f"nothing was measured: {error}")
    except VtacError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    budget = Budget(options.budget)
    print(f"{open_device().name}, {open_device().architecture}")

    def record(one: Measurement) -> None:
        print(shown(one), flush=True)
        if options.record:
            with options.record.open("a") as stream:
                stream.write(one.to_json() + "\n")

    measure(options.prepared, budget, options.rounds, record)


if __name__ == "__main__":
    sys.exit(main())
