"""Rehearsals of layers beside the programs that they stand for."""

from __future__ import annotations

from functools import lru_cache

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.target import VTA
from vtac.workloads.networks.catalogue import NETWORKS


@lru_cache(maxsize=4)
def network_layers(network: str, config: VTAConfig) -> dict[str, str]:
    """The text of each layer that the device is given of a network of the catalogue, by name."""
    prepared = prepare(NETWORKS[network]().module(), VTA, config, None)
    split_plain(prepared, phase="owned")
    return {one.sym_name.data: str(isolated(one, prepared)) for one in device_functions(prepared)}


def rehearsal_errors(text: str, config: VTAConfig, tiling: Tiling) -> tuple[float, float, Program]:
    """How far a rehearsal's cycles and bytes are off those of a layer's program, each as a share; and that."""
    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    program = build_program(lower_tilings(schedule, [(layer, tiling)]).module)
    outline = outline_of(layer, tiling, config)
    stream = decode_stream(program.instructions, config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    return rehearse(outline, config) / program.cycles - 1, outline.nbytes(config) / nbytes - 1, program
