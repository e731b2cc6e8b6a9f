"""`vtac schedule`: the script that a program without one gets, to read, edit and give back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing_attributes import DEVICE
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import write_text

_EXAMPLE = """example:
  vtac schedule layer.mlir -o layer_schedule.mlir
  vtac run layer.mlir --schedule layer_schedule.mlir
  vtac schedule layer.mlir --target cuda --arch sm_90
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    target: str = "vta"
    config: str | None = None
    arch: str | None = None
    output: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Prints one script per function that runs on the VTA, or that of the CUDA kernel."""
    parser = ToolParser("vtac schedule", "Prints the default schedule of a program.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE", help="MLIR text; a script in it is left aside")
    parser.add_argument("--target", choices=("vta", "cuda"), help="machine to schedule for (default vta)")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to choose tiles for")
    parser.add_argument("-o", "--output", metavar="FILE", help="output file; default stdout")
    options = Options()
    parser.parse(arguments, options)
    if options.target == "cuda":
        if options.config is not None:
            raise UsageError("--config is for VTA programs; CUDA programs take --arch")
        write_text(_cuda_script(options.source, options.arch), options.output)
        return 0
    if options.arch is not None:
        raise UsageError("--arch is for CUDA programs; VTA programs take --config")
    config = None if options.config is None else VTAConfig.from_json(options.config)
    write_text("".join(_scripts(options.source, config)), options.output)
    return 0


def _cuda_script(path: str, architecture: str | None) -> str:
    from vtac.dialects.gpu_hardware import gpu_architecture
    from vtac.frontend import parse
    from vtac.targets.cuda.schedules import default_schedule

    record = None if architecture is None else gpu_architecture(architecture)
    return str(default_schedule(parse(Path(path)), record))


def _scripts(path: str, config: VTAConfig | None) -> list[str]:
    from xdsl.dialects.func import FuncOp

    from vtac.dialects.schedule.directives import ScriptOp
    from vtac.errors import CompileError
    from vtac.frontend import prepare
    from vtac.partition.layouts import may_be_plain, needs_packing
    from vtac.targets.vta.linking.kernels import scheduled
    from vtac.targets.vta.linking.plain import split_plain
    from vtac.targets.vta.schedules import default_schedule

    module = prepare(Path(path), config, None)
    for script in [op for op in module.ops if isinstance(op, ScriptOp)]:
        script.detach()
        script.erase()
    if not needs_packing(module):
        try:
            return [str(default_schedule(module))]
        except CompileError:
            if not may_be_plain(module):
                raise
    split_plain(module)
    devices = [op for op in module.ops if isinstance(op, FuncOp) and DEVICE in op.attributes]
    return [str(scheduled(device, module)) for device in devices]
