"""Compiled programs: the assembly, and the lowered module that tells what it means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

import vtac
from vtac.analysis.kernels.kernel_roles import is_result
from vtac.analysis.nests.nest import buffer_name, shape_of
from vtac.evaluate.functions import function_of
from vtac_vec.emit import assembly
from vtac_vec.evaluate import Array, evaluate_vec

ASSEMBLY_FILE, MODULE_FILE = "program.vec", "vec.mlir"


@dataclass(frozen=True)
class VecParameter:
    """An argument or a result."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "int32"


@dataclass(frozen=True)
class VecProgram:
    """One function for the vector machine, executed by numpy."""

    text: str
    module: ModuleOp

    @property
    def arguments(self) -> tuple[VecParameter, ...]:
        """What a caller passes, in order."""
        return self._parameters(results=False)

    @property
    def results(self) -> tuple[VecParameter, ...]:
        """What a call returns, in order."""
        return self._parameters(results=True)

    def __call__(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Run on int32 arrays. Raises `ProgramError` for arrays that do not fit."""
        expected = [(argument.shape, argument.dtype) for argument in self.arguments]
        if [(array.shape, str(array.dtype)) for array in arrays] != expected:
            raise vtac.ProgramError(f"the program takes {expected}")
        return evaluate_vec(self.module, arrays)

    def save(self, directory: str | Path) -> None:
        """Write the assembly and the module."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ASSEMBLY_FILE).write_text(self.text, encoding="utf-8")
        (folder / MODULE_FILE).write_text(str(self.module) + "\n", encoding="utf-8")

    def _parameters(self, *, results: bool) -> tuple[VecParameter, ...]:
        function: FuncOp = function_of(self.module)
        arguments = [value for value in function.body.block.args if is_result(function, value) == results]
        return tuple(VecParameter(buffer_name(value), shape_of(value)) for value in arguments)


def build_program(module: ModuleOp) -> VecProgram:
    """The program of a module at the vec level."""
    return VecProgram(assembly(module), module)


def load_program(directory: Path) -> VecProgram:
    """Read back what `VecProgram.save` wrote."""
    return build_program(vtac.parse(directory / MODULE_FILE))
