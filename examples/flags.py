"""What all examples share: flags, the random data they allow, and errors as one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import vtac
from vtac.starting import run_as_program

if TYPE_CHECKING:
    import numpy as np

run_as_program()
"""Before the imports of an example: they leave more objects than compiling, and numpy's makes threads."""


def parser(
    description: str, example: str, phases: Iterable[str], low: int = -128, high: int = 128
) -> argparse.ArgumentParser:
    """An argument parser with the flags that all examples have."""
    made = argparse.ArgumentParser(
        description=description, epilog=f"example: {example}", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = made.add_argument_group("common flags").add_argument
    add("--seed", type=int, default=0, help="seed of the random data")
    add("--low", type=int, default=low, help="smallest random number")
    add("--high", type=int, default=high, help="random numbers are below this")
    add("--dump", metavar="DIR", help="save the program, as vtac run reads it")
    names = tuple(phases)
    shown = ", ".join(names)
    add("--print-ir", metavar="PHASE", choices=names, help=f"print one phase's IR, the report on stderr: {shown}")
    add("--json", action="store_true", help="print one JSON object and nothing else on stdout")
    return made


def add_config(made: argparse.ArgumentParser) -> None:
    """The flag for the VTA's configuration."""
    made.add_argument("--config", metavar="FILE", help="a vta_config.json; the default configuration without it")


def config_from(options: argparse.Namespace) -> vtac.VTAConfig:
    """The configuration that `--config` names."""
    return vtac.VTAConfig() if options.config is None else vtac.VTAConfig.from_json(options.config)


def exit_status(options: argparse.Namespace, run: Callable[[], int]) -> int:
    """Check the common flags and run an example; an error is one line on stderr, and 1."""
    try:
        check_random(options.seed, options.low, options.high)
        return run()
    except vtac.VtacError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
    return 1


def check_random(seed: int, low: int, high: int) -> None:
    """Refuse a seed or a range that numpy has no random numbers for."""
    if seed < 0:
        raise vtac.CompileError(f"--seed is {seed}; 0 or more is required")
    if high <= low:
        raise vtac.CompileError(f"--high {high} must be above --low {low}")


def check_range(low: int, high: int, limits: np.iinfo[np.signedinteger]) -> None:
    """Refuse random numbers from `low` to below `high` that an element with these limits cannot hold."""
    if low < limits.min or high > limits.max + 1:
        raise vtac.CompileError(
            f"random numbers from {low} to below {high} do not fit {limits.dtype}: "
            f"choose --low and --high between {limits.min} and {int(limits.max) + 1}"
        )
