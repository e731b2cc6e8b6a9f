"""Tensor cores: the seed schedule, the fast one, the best of the space of tilings, and the vendor's library.

Without a GPU: registers and shared memory from the compiler; `--prepare DIR --arch sm_90` compiles everything for a
machine that is only lent. There, `--prepared DIR --budget 780 --record FILE` measures as much as fits into 13 minutes,
writes each measurement as a line of JSON as soon as there is one, and stops by itself. Programs and the vendor's
library (cuDNN and cuBLAS through torch) take turns; times are of bursts in one graph, with the cache flushed and
without; data are random with a normal distribution; sampled rows are compared with float64.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vtac.cuda import GpuArchitecture, gpu_architecture, gpu_architectures, load
from vtac.errors import CompileError, LaunchError, ToolMissingError, VtacError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.comparison import compare
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.device import open_device
from vtac.targets.cuda.gpu.launcher import OpenRun, Timing
from vtac.targets.cuda.gpu.measuring import Budget, Measurement, Sample, in_turns
from vtac.targets.cuda.launch import Parameter
from vtac.targets.cuda.program import CudaProgram

CONVOLUTION, PRODUCT, NARROW = "convolution", "product", "narrow product"
_LANES: Literal["mma.sync"] = "mma.sync"
_GROUPS: Literal["wgmma"] = "wgmma"
_BOXES: Literal["tma"] = "tma"
_CLUSTERS = "tma, clusters of 2"
_PLACED: Mapping[str, tuple[int, Literal["wmma", "mma.sync", "wgmma", "tma"]]] = {
    **{f"place {place}": (place, "wmma") for place in range(4)},
    **{f"{_LANES} {place}": (place, _LANES) for place in range(4)},
    **{f"{_GROUPS} {place}": (place, _GROUPS) for place in range(4)},
    **{f"{_BOXES} {place}": (place, _BOXES) for place in range(4)},
}
"""Tilings of the space that are measured of each product, by name: the best by estimate of each kind."""
_ROWS = 16
_FLUSH_BYTES = 256 << 20
_WORKLOAD_SECONDS = 25
"""What a workload takes at least: data, its first launches, a reference."""
_ALLOWED = {"float32": 2e-3, "float16": 4e-3}
_INDEX = "programs.json"


@dataclass(frozen=True)
class Work:
    """A workload: a product of m x n x k, its result in f32 or f16, or the seed's convolution with sizes of its own."""

    kind: str
    sizes: tuple[int, int, int] = (0, 0, 0)

    @property
    def name(self) -> str:
        return self.kind if self.kind == CONVOLUTION else f"{self.kind} {'x'.join(map(str, self.sizes))}"

    @property
    def operations(self) -> int:
        m, n, k = (256 * 14 * 14, 512, 9 * 256) if self.kind == CONVOLUTION else self.sizes
        return 2 * m * n * k


@dataclass(frozen=True)
class Entry:
    """One program of a workload, as an index of prepared programs lists it."""

    work: Work
    program: str
    folder: str
    product: Mapping[str, object] | None = None
    tiling: Mapping[str, object] | None = None


def works(sizes: list[int]) -> list[Work]:
    """The seed's convolution, and square products of some sizes, with results in f32 and f16."""
    return [Work(CONVOLUTION), *(Work(kind, (s, s, s)) for s in sizes for kind in (NARROW, PRODUCT))]


def programs(work: Work, architecture: GpuArchitecture) -> Iterator[tuple[str, CudaProgram]]:
    """The programs of a workload for an architecture, by name; those that do not fit it are left out."""
    for name, make in _makers(work, architecture):
        try:
            program = make()
        except CompileError as error:
            print(f"{work.name}, {name}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        yield name, program


def _makers(work: Work, architecture: GpuArchitecture) -> list[tuple[str, Callable[[], CudaProgram]]]:
    import vtac
    from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
    from vtac.targets.cuda.schedules import default_schedule
    from vtac.targets.cuda.schedules.tma_products import tma_schedule
    from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule
    from vtac.workloads.mma_conv2d import mma_conv_schedule, mma_tiling
    from vtac.workloads.mma_matmul import MmaMatmul
    from vtac.workloads.wmma_conv2d import WmmaConv2D
    from vtac.workloads.wmma_fast import choose_tiling, fast_schedule
    from vtac.workloads.wmma_matmul import WmmaMatmul

    def compiled(text: str, schedule: Callable[[], vtac.Schedule]) -> CudaProgram:
        program = vtac.compile(text, "cuda", architecture, schedule=schedule())
        if not isinstance(program, CudaProgram):
            raise LaunchError(f"{program}: programs of one kernel are timed here")
        return program

    if work.kind == CONVOLUTION:
        layer = WmmaConv2D()
        fast = lambda: fast_schedule(layer, choose_tiling(layer, architecture))  # noqa: E731
        lanes = lambda: mma_conv_schedule(layer, mma_tiling(layer, architecture))  # noqa: E731
        made = (("seed", layer.seed_schedule), ("fast", fast), (_LANES, lanes))
        return [(name, lambda s=s: compiled(layer.text(), s)) for name, s in made]
    m, n, k = work.sizes
    if work.kind == PRODUCT:
        product = WmmaMatmul(m, n, k)
        fast = lambda: product.schedule(product.fast_tiling(architecture))  # noqa: E731
        on_lanes = MmaMatmul(m, n, k)
        lanes = lambda: on_lanes.lane_schedule(architecture)  # noqa: E731
        groups = lambda: wgmma_schedule(product.text(), architecture)  # noqa: E731
        boxes = lambda: tma_schedule(product.text(), architecture)  # noqa: E731
        pairs = lambda: tma_schedule(product.text(), architecture, cluster=2)  # noqa: E731
        made = (
            ("seed", product.schedule),
            ("fast", fast),
            (_LANES, lanes),
            (_GROUPS, groups),
            (_BOXES, boxes),
            (_CLUSTERS, pairs),
        )
        return [(name, lambda s=s: compiled(product.text(), s)) for name, s in made]
    text = _narrow_text(work)

    def ranked(place: int, instructions: Instructions) -> CudaProgram:
        module = vtac.parse(text)
        INSTRUCTIONS.set(module, instructions)
        return compiled(text, lambda: default_schedule(module, architecture, place))

    return [(name, lambda given=given: ranked(*given)) for name, given in _PLACED.items()]


def _narrow_text(work: Work) -> str:
    """A product whose result is f16, as linalg text."""
    from vtac.workloads.float_text import FloatProgram
    from vtac.workloads.tensor_text import Tensor

    m, n, k = work.sizes
    made = FloatProgram("matmul")
    a, b = made.argument("a", (m, k)), made.argument("b", (k, n))
    sums = made.product(Tensor("sums", (m, n), "f32"), (a, "i, k"), (b, "k, j"), "i, j")
    return made.text(made.convert("c", sums, "f16"))


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


def _chosen(
    work: Work, name: str, architecture: GpuArchitecture
) -> tuple[Mapping[str, object], Mapping[str, object]] | tuple[None, None]:
    """The product and the tiling of a program of the space, as records of measurements have them."""
    from vtac import parse
    from vtac.targets.cuda.schedules.defaults import product_tiling

    if work.kind != NARROW:
        return None, None
    size, tiling = product_tiling(parse(_narrow_text(work)), architecture, *_PLACED[name])
    return asdict(size), asdict(tiling)


def prepare(folder: Path, chosen: list[Work], architecture: GpuArchitecture) -> None:
    """Save every program, compiled, and an index of them."""
    entries: list[Entry] = []
    for work in chosen:
        for name, program in programs(work, architecture):
            place = f"{len(entries):03}"
            program.save(folder / place, [architecture.name])
            entries.append(Entry(work, name, place, *_chosen(work, name, architecture)))
    (folder / _INDEX).write_text(json.dumps([asdict(one) for one in entries], indent=1) + "\n")
    print(f"{len(entries)} programs for {architecture.name} in {folder}")


def prepared(folder: Path) -> list[Entry]:
    """What an index lists. Raises `LaunchError` where there is none."""
    try:
        rows = json.loads((folder / _INDEX).read_text())
    except OSError as error:
        raise LaunchError(f"cannot read {folder / _INDEX}: {error.strerror}; make it with --prepare {folder}") from None
    return [
        Entry(
            Work(r["work"]["kind"], tuple(r["work"]["sizes"])),
            r["program"],
            r["folder"],
            r.get("product"),
            r.get("tiling"),
        )
        for r in rows
    ]


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


def normal_arrays(parameters: Sequence[Parameter]) -> list[Array]:
    """Random f16 with a normal distribution: power, and so speed, depends on the data."""
    random = np.random.default_rng(0)
    return [random.standard_normal(p.shape, np.float32).astype(np.float16) for p in parameters]


def reference(work: Work, arrays: list[Array], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Some rows or pixels in float64, and where they are."""
    random = np.random.default_rng(1)
    wanted = np.zeros(shape, np.bool_)
    if work.kind == CONVOLUTION:
        from vtac.workloads.wmma_conv2d import WmmaConv2D
        from vtac.workloads.wmma_reference import conv2d_at

        for _ in range(2):
            wanted[:, random.integers(shape[1]), random.integers(shape[2])] = True
        return conv2d_at(WmmaConv2D(), arrays[0], arrays[1], wanted), wanted
    rows = np.unique(random.integers(0, shape[0], _ROWS))
    wanted[rows] = True
    expected = np.zeros(shape, np.float32)
    expected[rows] = arrays[0][rows].astype(np.float64) @ arrays[1].astype(np.float64)
    return expected, wanted


@contextmanager
def vendor_sample(work: Work, arrays: list[Array]) -> Generator[Sample | None]:
    """What times the vendor's library on the same data; None where torch does not drive a GPU."""
    try:
        torch = import_module("torch")
    except ImportError:
        yield None
        return
    if not torch.cuda.is_available():
        yield None
        return
    run = _torch_run(torch, work, arrays)
    for _ in range(5):
        run()

    def sample(burst: int = 10) -> float:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(burst):
            run()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / burst

    yield sample


def _torch_run(torch: Any, work: Work, arrays: list[Array]) -> Callable[[], object]:
    first, second = (torch.from_numpy(array).cuda() for array in arrays)
    if work.kind != CONVOLUTION:
        return lambda: first @ second
    images = first.permute(0, 4, 3, 5, 1, 2).reshape(256, 256, 14, 14).contiguous(memory_format=torch.channels_last)
    filters = second.permute(3, 5, 2, 4, 0, 1).reshape(512, 256, 3, 3).contiguous(memory_format=torch.channels_last)
    torch.backends.cudnn.benchmark = True
    return lambda: torch.nn.functional.conv2d(images, filters, padding=1)


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
