"""Programs for tensor cores that `tensor_cores.py` compares: one workload, several schedules."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import vtac
from vtac.cuda import GpuArchitecture
from vtac.errors import CompileError, LaunchError
from vtac.targets.cuda.program import CudaProgram

if TYPE_CHECKING:
    from vtac.schedule import Schedule

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
    for name, make in makers(work, architecture).items():
        try:
            program = make()
        except CompileError as error:
            print(f"{work.name}, {name}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        yield name, program


def makers(work: Work, architecture: GpuArchitecture) -> Mapping[str, Callable[[], CudaProgram]]:
    """What makes the programs of a workload, by name."""
    if work.kind == CONVOLUTION:
        return _convolutions(architecture)
    return _products(work, architecture) if work.kind == PRODUCT else _narrow_products(work, architecture)


def _convolutions(architecture: GpuArchitecture) -> Mapping[str, Callable[[], CudaProgram]]:
    from vtac.workloads.mma_conv2d import mma_conv_schedule, mma_tiling
    from vtac.workloads.wmma_conv2d import WmmaConv2D
    from vtac.workloads.wmma_fast import choose_tiling, fast_schedule

    layer = WmmaConv2D()
    schedules: dict[str, Callable[[], Schedule]] = {
        "seed": layer.seed_schedule,
        "fast": lambda: fast_schedule(layer, choose_tiling(layer, architecture)),
        _LANES: lambda: mma_conv_schedule(layer, mma_tiling(layer, architecture)),
    }
    return _compilations(layer.text(), schedules, architecture)


def _products(work: Work, architecture: GpuArchitecture) -> Mapping[str, Callable[[], CudaProgram]]:
    from vtac.targets.cuda.schedules.tma_products import tma_schedule
    from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule
    from vtac.workloads.mma_matmul import MmaMatmul
    from vtac.workloads.wmma_matmul import WmmaMatmul

    product, on_lanes = WmmaMatmul(*work.sizes), MmaMatmul(*work.sizes)
    schedules: dict[str, Callable[[], Schedule]] = {
        "seed": product.schedule,
        "fast": lambda: product.schedule(product.fast_tiling(architecture)),
        _LANES: lambda: on_lanes.lane_schedule(architecture),
        _GROUPS: lambda: wgmma_schedule(product.text(), architecture),
        _BOXES: lambda: tma_schedule(product.text(), architecture),
        _CLUSTERS: lambda: tma_schedule(product.text(), architecture, cluster=2),
    }
    return _compilations(product.text(), schedules, architecture)


def _narrow_products(work: Work, architecture: GpuArchitecture) -> Mapping[str, Callable[[], CudaProgram]]:
    from vtac import parse
    from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
    from vtac.targets.cuda.schedules import default_schedule

    text = _narrow_text(work)

    def ranked(place: int, instructions: Instructions) -> Schedule:
        module = parse(text)
        INSTRUCTIONS.set(module, instructions)
        return default_schedule(module, architecture, place)

    return _compilations(text, {name: partial(ranked, *given) for name, given in _PLACED.items()}, architecture)


def _compilations(
    text: str, schedules: Mapping[str, Callable[[], Schedule]], architecture: GpuArchitecture
) -> Mapping[str, Callable[[], CudaProgram]]:
    """A program by each of some schedules, compiled when it is asked for."""

    def compiled(schedule: Callable[[], Schedule]) -> CudaProgram:
        program = vtac.compile(text, "cuda", architecture, schedule=schedule())
        if not isinstance(program, CudaProgram):
            raise LaunchError(f"{program}: programs of one kernel are timed here")
        return program

    return {name: partial(compiled, schedule) for name, schedule in schedules.items()}


def _narrow_text(work: Work) -> str:
    """A product whose result is f16, as linalg text."""
    from vtac.workloads.float_text import FloatProgram
    from vtac.workloads.tensor_text import Tensor

    m, n, k = work.sizes
    made = FloatProgram("matmul")
    a, b = made.argument("a", (m, k)), made.argument("b", (k, n))
    sums = made.product(Tensor("sums", (m, n), "f32"), (a, "i, k"), (b, "k, j"), "i, j")
    return made.text(made.convert("c", sums, "f16"))


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
