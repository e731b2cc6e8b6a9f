"""What the network examples share: common flags, compiling and running with progress, checking every layer."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TextIO

import flags
import numpy as np
from xdsl.dialects.func import CallOp, ReturnOp

import vtac
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.passes.pack_for_vta import PackForVta
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.intermediates import run_with_intermediates
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports
from vtac.text.context import make_context
from vtac.workloads.networks.network import Network
from vtac.workloads.reference import unpack_images, unpack_rows

PHASES = {
    "input": (),
    "packed": (PackForVta(),),
    "grouped": (PackForVta(), GroupDeviceCalls(), MergeDeviceFunctions()),
}


@dataclass(frozen=True)
class Run:
    """A compiled network, what it computed and how long that took; `exact` says per layer whether numpy agrees."""

    program: HostProgram
    outputs: tuple[Array, ...]
    exact: dict[str, bool]
    compile_seconds: float
    run_seconds: float

    @property
    def correct(self) -> bool:
        return all(self.exact.values())


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """An argument parser with the flags that all network examples have."""
    made = flags.parser(description, example, PHASES)
    flags.add_config(made)
    return made


def main(options: argparse.Namespace, make_network: Callable[[], Network]) -> int:
    """Run an example; the exit status."""
    return flags.exit_status(options, lambda: _main(options, make_network))


def _main(options: argparse.Namespace, make_network: Callable[[], Network]) -> int:
    flags.check_range(options.low, options.high, np.iinfo(np.int8))
    network = make_network()
    config = flags.config_from(options)
    if options.print_ir:
        _print_ir(network, config, options.print_ir, sys.stderr if options.json else sys.stdout)
    run = _run(network, config, options)
    if options.dump:
        run.program.save(options.dump)
    if options.json:
        _print_json(run)
    else:
        with redirect_stdout(sys.stderr if options.print_ir else sys.stdout):
            _print_table(network, run)
    return 0 if run.correct else 1


def _print_ir(network: Network, config: vtac.VTAConfig, phase: str, stream: TextIO) -> None:
    """The IR with the parameters as arguments: as constants they would fill the screen."""
    module = prepare(network.text(), find_target("vta"), config)
    for step in PHASES[phase]:
        step.apply(make_context(), module)
    print(module, file=stream)


def _run(network: Network, config: vtac.VTAConfig, options: argparse.Namespace) -> Run:
    progress = _Progress(enabled=not options.json)
    start = time.perf_counter()
    module = network.module()
    program = vtac.compile(module, config=config, progress=progress.compiling)
    compile_seconds = time.perf_counter() - start
    assert isinstance(program, HostProgram)
    random = np.random.default_rng(options.seed + 1)
    image = random.integers(options.low, options.high, network.input.shape).astype(np.int8)
    program(image, progress=progress.running)
    start = time.perf_counter()
    outputs = program(image, progress=progress.running)
    run_seconds = time.perf_counter() - start
    progress.say("checking every layer against numpy")
    _, stored = run_with_intermediates(program, (image,))
    expected = network.reference(image)
    results = outputs if isinstance(outputs, tuple) else (outputs,)
    exact = {name: bool(np.array_equal(results[0], array)) for name, array in [list(expected.items())[-1]]}
    for name, packed in stored.items():
        if name in expected:
            exact[name] = bool(np.array_equal(_plain(packed, expected[name].shape), expected[name]))
    progress.say("")
    return Run(program, results, exact, compile_seconds, run_seconds)


def _plain(packed: Array, shape: tuple[int, ...]) -> Array:
    """A packed array in plain layout, cropped to its true shape."""
    if packed.ndim == 6:
        plain = unpack_images(packed)
        plain = plain[:, :, 0, 0] if len(shape) == 2 else plain
    else:
        plain = unpack_rows(packed)
    return plain[tuple(slice(extent) for extent in shape)]  # pyright: ignore[reportReturnType]


class _Progress:
    """One line on stderr that says what is going on; runs only where a terminal can rewrite it."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.rewrite = sys.stderr.isatty()
        self.last = ""

    def say(self, text: str) -> None:
        if self.enabled and text != self.last:
            self.last = text
            if self.rewrite:
                print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            elif text:
                print(text, file=sys.stderr, flush=True)

    def compiling(self, what: str, done: int, total: int) -> None:
        self.say(f"compiling {done}/{total}: {what}")

    def running(self, done: int, total: int) -> None:
        if self.rewrite:
            self.say(f"running: {10 * done // total * 10} % of {total:,} instructions")


def _size(program: HostProgram) -> tuple[int, int]:
    """Instructions and micro-ops of all streams."""
    streams = program.devices.values()
    return sum(len(s.instructions) // 16 for s in streams), sum(len(s.micro_ops) // 4 for s in streams)


def _print_json(run: Run) -> None:
    instructions, micro_ops = _size(run.program)
    layers = [
        {"name": r.name, "cycles": r.cycles, "dram_bytes": r.dram_bytes, "gemm_counter": r.counters["gemm_counter"]}
        for r in layer_reports(run.program)
    ]
    summary = {
        "stats": run.program.stats,
        "correct": run.correct,
        "instructions": instructions,
        "micro_ops": micro_ops,
        "compile_seconds": run.compile_seconds,
        "run_seconds": run.run_seconds,
        "host_seconds": run.program.host_seconds,
        "peak_bytes": _peak_bytes(),
        "layers": layers,
    }
    print(json.dumps(summary))


def _peak_bytes() -> int:
    """The most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _print_table(network: Network, run: Run) -> None:
    reports = layer_reports(run.program)
    cycles = sum(report.cycles for report in reports)
    described = {layer.name: layer.description for layer in network.layers}
    width = max(len(report.name) for report in reports)
    numbers = f"{'cycles':>12}{'share':>7}{'DRAM bytes':>13}{'GEMM busy':>10}"
    print(f"{'layer':<{width}}  {'operation':<26}{numbers}  on   numpy")
    for report in reports:
        print(
            f"{report.name:<{width}}  {described.get(report.name, ''):<26}{report.cycles:>12,}"
            f"{report.cycles / cycles:>7.1%}{report.dram_bytes:>13,}{report.utilisation:>10.1%}  VTA  "
            f"{_verdict(run, report)}"
        )
    reported = {report.name for report in reports}
    for name in [layer.name for layer in network.layers if layer.name not in reported and not layer.is_view]:
        print(f"{name:<{width}}  {described[name]:<26}{'':>42}  with the layer after it")
    total = sum(report.dram_bytes for report in reports)
    gemm = sum(report.counters["gemm_counter"] for report in reports)
    print(f"{'all':<{width}}  {'':<26}{cycles:>12,}{1:>7.1%}{total:>13,}{gemm / cycles:>10.1%}")
    _print_summary(run)


def _verdict(run: Run, report: LayerReport) -> str:
    if report.name not in run.exact:
        return "-"
    return "exact" if run.exact[report.name] else "DIFFERS"


def _print_summary(run: Run) -> None:
    program = run.program
    instructions, micro_ops = _size(program)
    host = [op.name for op in program.host_function.body.block.ops if not isinstance(op, CallOp | ReturnOp)]
    layouts = ", ".join(f"{host.count(name)} {name}" for name in dict.fromkeys(host) if not name.startswith("arith."))
    print(
        f"\n{len(program.devices)} stream{'s' if len(program.devices) > 1 else ''}, {instructions:,} instructions, "
        f"{micro_ops:,} micro-ops"
        f"\non the host: {layouts} ({program.host_seconds * 1000:.1f} ms)"
    )
    for choice in program.choices:
        print(f"chosen: {choice}")
    print(
        f"compiled in {run.compile_seconds:.2f} s, run in {run.run_seconds:.3f} s "
        f"(host {program.host_seconds / run.run_seconds:.1%}), peak memory {_peak_bytes() / 1e6:,.0f} MB"
    )
    checked = f"{sum(run.exact.values())} of {len(run.exact)} layers and results are exactly numpy's"
    print(f"{checked}{'' if run.correct else ': the rest differ'}")
