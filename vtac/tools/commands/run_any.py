"""`vtac run` of a program for any target: arrays in, arrays out, and what the program itself says of neither."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vtac.tools.commands.arrays import random_arrays, read_arrays, write_arrays
from vtac.tools.commands.programs import compile_for
from vtac.tools.commands.target_options import hardware_of, saved_target
from vtac.tools.entry import UsageError
from vtac.tools.output import report

if TYPE_CHECKING:
    from vtac.targets.target import Target, TargetProgram
    from vtac.targets.vta.programs.program import Array
    from vtac.tools.commands.run import Options


def run_any(options: Options, target: Target) -> int:
    """Runs the program once; results go to stdout and to the files that were asked for."""
    program = _program(options, target)
    if options.inputs is not None:
        inputs = read_arrays(options.inputs, program.arguments)
    else:
        inputs = random_arrays(program.arguments, options.seed, options.low, options.high)
    returned = program(*inputs)
    arrays = returned if isinstance(returned, tuple) else (returned,)
    outputs = {result.name: array for result, array in zip(program.results, arrays, strict=True)}
    if options.outputs is not None:
        write_arrays(options.outputs, cast("dict[str, Array]", outputs))
    if options.dump is not None:
        program.save(options.dump)
    report("".join(_line(name, array) for name, array in outputs.items()))
    if options.check:
        report(_checked(options, inputs, outputs))
    return 0


def _checked(
    options: Options, inputs: Sequence[NDArray[np.generic]], outputs: Mapping[str, NDArray[np.generic]]
) -> str:
    from vtac.tools.commands.comparing import compared

    if saved_target(options.source) is not None:
        raise UsageError(f"'{options.source}' is a saved program: --check is for program files")
    return compared(options.source, options.function, inputs, outputs)


def _line(name: str, array: NDArray[np.generic]) -> str:
    shape = "x".join(map(str, array.shape)) or "scalar"
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:32]
    return f"{name}  {array.dtype} {shape}  sha256 {digest}\n"


def _program(options: Options, target: Target) -> TargetProgram:
    if saved_target(options.source) is not None:
        return target.load(Path(options.source))
    hardware, kept = hardware_of(options, target), not options.no_cache
    return compile_for(target, options.source, hardware, options.schedule, options.function, cache=kept)
