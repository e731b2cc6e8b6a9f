"""Compiled programs kept on disk, found again by all that they depend on.

An entry is what `program.save` writes, under a digest of the module with its hardware and scripts, of the options and
of the compiler itself. Beside it stand the schedules of its device functions, and a digest of them and of the program's
index, which holds those of all other files. What is damaged counts as missing, and is compiled and written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast, overload

from xdsl.dialects.builtin import FileLineColLoc, UnknownLoc

from vtac.analysis.ir.fingerprint import fingerprint_of
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import VtacError
from vtac.files.cache_entries import Entries
from vtac.files.digests import digest
from vtac.files.reading import RECORD_BYTES, read_regular
from vtac.files.user_cache import cache_folder, program_entries
from vtac.limits import OPERATIONS
from vtac.targets.vta.compiler_identity import compiler_identity
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.saved_program import load_program
from vtac.targets.vta.programs.saving import HOST_FILE, INDEX, save
from vtac.text.context import make_context
from vtac.text.printing import op_text
from vtac.text.source import parse_module

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.targets.vta.programs.host_program import HostProgram
    from vtac.targets.vta.programs.vta_program import VtaProgram

_PROGRAM, _SCRIPTS = "program", "scripts.mlir"


@dataclass(frozen=True)
class CachedProgram:
    """The place of one program in the cache, whether it is there or not."""

    entries: Entries
    name: str

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.entries.path(self.name)

    def find(self) -> VtaProgram | None:
        """The program, which counts as used now; None where there is none, or a damaged one."""
        try:
            sealed, _, text = read_regular(self.path / _SCRIPTS, RECORD_BYTES).decode().partition("\n")
            if sealed != _seal(self.path, text):
                return None
            program = load_program(self.path / _PROGRAM)
            self.entries.use(self.name)
        except (OSError, ValueError, VtacError):
            return None
        hosted = _hosted(program)
        if hosted is not None:
            _forget_file(hosted.host, str(self.path / _PROGRAM / HOST_FILE))
            hosted.scripts = _WrittenScripts(text)
        return program

    def keep(self, program: VtaProgram) -> None:
        """Keep a program. A folder that cannot be written, or a full disk, keeps none."""
        hosted = _hosted(program)
        text = "" if hosted is None else "".join(f"{op_text(script, places=True)}\n" for script in hosted.scripts)
        files = program.stream.files() if hosted is None else hosted.files(places=True)

        def write(folder: Path) -> None:
            save(folder / _PROGRAM, files)
            (folder / _SCRIPTS).write_text(f"{_seal(folder, text)}\n{text}", encoding="utf-8")

        try:
            self.entries.put(self.name, write)
        except (OSError, VtacError):
            return


class _WrittenScripts(Sequence[ScriptOp]):
    """Scripts that are parsed when somebody looks at them, as a report does."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _scripts(self) -> tuple[ScriptOp, ...]:
        if not self._text:
            return ()
        module = parse_module(self._text, _SCRIPTS, make_context())
        _forget_file(module, _SCRIPTS)
        return tuple(op.clone() for op in module.ops if isinstance(op, ScriptOp))

    def __len__(self) -> int:
        return len(self._scripts)

    @overload
    def __getitem__(self, index: int) -> ScriptOp: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ScriptOp]: ...
    def __getitem__(self, index: int | slice) -> ScriptOp | Sequence[ScriptOp]:
        return self._scripts[index]


def cached_program(work: ModuleOp, *, wanted: bool | None, host: bool, acc_8bit: bool) -> CachedProgram | None:
    """The place of the program of a module, hardware and scripts settled; None where none is to be kept."""
    folder = cache_folder(wanted)
    described = None if folder is None else fingerprint_of(work)
    if folder is None or described is None:
        return None
    parts = (compiler_identity(), f"host={host} acc_8bit={acc_8bit} operations={OPERATIONS.value}", described)
    return CachedProgram(program_entries(folder), hashlib.sha256("\0".join(parts).encode()).hexdigest())


def _hosted(program: VtaProgram) -> HostProgram | None:
    """The program where it has a host function; one stream alone needs nothing that executes one."""
    return None if isinstance(program, Program) else cast("HostProgram", program)


def _forget_file(module: ModuleOp, name: str) -> None:
    """Operations of a file of the cache, which came from nowhere in the source, have no place again."""
    for op in module.walk():
        if isinstance(op.location, FileLineColLoc) and op.location.filename.data == name:
            op.location = UnknownLoc()


def _seal(folder: Path, scripts: str) -> str:
    """The first line of an entry's scripts."""
    return f"// {digest(read_regular(folder / _PROGRAM / INDEX, RECORD_BYTES) + scripts.encode())}"
