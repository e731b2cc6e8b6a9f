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
    """The machine that a module states. Raises `CompileError` for an ill-typed one."""
    from vtac_vec.declared import MACHINE

    registers = MACHINE.get(module)
    return None if registers is None else VecMachine(registers)


def write_machine(module: ModuleOp, machine: VecMachine) -> None:
    """State the machine in a module."""
    from vtac_vec.declared import MACHINE

    MACHINE.set(module, machine.registers)
