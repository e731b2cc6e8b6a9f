"""The hardware record of the vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.errors import ConfigError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

ATTRIBUTE = "vec.machine"
LANES = 8
"""Elements of 32 bits in a register."""


@dataclass(frozen=True)
class VecMachine:
    """A machine with so many vector registers. Raises `ConfigError` for less than two."""

    registers: int = 16

    def __post_init__(self) -> None:
        if self.registers < 2:
            raise ConfigError(f"a vector machine with {self.registers} registers: a product takes at least 2")


def parse_machine(text: str) -> VecMachine:
    """What `--config N` says: the number of registers."""
    if not text.isdecimal():
        raise ConfigError(f"--config {text}: the number of vector registers is required, such as 16")
    return VecMachine(int(text))


def read_machine(module: ModuleOp) -> VecMachine | None:
    """The machine that a module states."""
    from xdsl.dialects.builtin import IntegerAttr

    given = module.attributes.get(ATTRIBUTE)
    if given is None:
        return None
    if not isinstance(given, IntegerAttr):
        raise ConfigError(f"{ATTRIBUTE} is {given}; the number of vector registers is required, such as 16 : i64")
    return VecMachine(given.value.data)


def write_machine(module: ModuleOp, machine: VecMachine) -> None:
    """State the machine in a module."""
    from xdsl.dialects.builtin import IntegerAttr, i64

    module.attributes[ATTRIBUTE] = IntegerAttr(machine.registers, i64)
