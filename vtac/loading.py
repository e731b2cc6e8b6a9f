"""vtac.load_program: a program from the folder it was saved in, which takes nothing of the compiler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from vtac.errors import CompileError
from vtac.targets.registry import all_targets, find_target
from vtac.text.excerpts import pointed

if TYPE_CHECKING:
    from vtac.targets.cuda.network import CudaNetwork
    from vtac.targets.cuda.program import CudaProgram
    from vtac.targets.target import TargetProgram
    from vtac.targets.vta.programs.vta_program import VtaProgram


@overload
def load_program(directory: str | Path, target: Literal["vta"]) -> VtaProgram: ...
@overload
def load_program(directory: str | Path, target: Literal["cuda"]) -> CudaProgram | CudaNetwork: ...
@overload
def load_program(directory: str | Path, target: str | None = None) -> TargetProgram: ...
@pointed
def load_program(directory: str | Path, target: str | None = None) -> TargetProgram:
    """Read back what a program's `save` wrote; a program of the target given, or else of any.

    Raises `CompileError` when no target knows the directory, and what the target raises for files
    that are missing, truncated or contradict each other.
    """
    folder = Path(directory)
    owner = next((one for one in all_targets() if one.has_saved(folder)), None)
    wanted = owner if target is None else find_target(target)
    if wanted is None:
        raise CompileError(f"{folder} is not a saved program: it holds no file that one of a target has")
    if owner is not None and owner is not wanted:
        raise CompileError(f"{folder} holds a program for {owner.title}, not for {wanted.title}")
    return wanted.load(folder)
