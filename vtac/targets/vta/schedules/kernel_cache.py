"""Layers that were lowered before, kept on disk by their form and the hardware, whatever their names and places."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vtac.files.sealed import SealedTexts
from vtac.files.user_cache import kernel_entries
from vtac.targets.vta.compiler_identity import compiler_identity

_MOST_BYTES = 1 << 22


@dataclass
class KernelCache:
    """The records of lowered layers in a folder of caches."""

    folder: Path

    def __post_init__(self) -> None:
        self._texts = SealedTexts(kernel_entries(self.folder), _MOST_BYTES)

    def find(self, task: str) -> str | None:
        """The record of a task, as `lower_task` gives it; None where there is none, or a damaged one."""
        return self._texts.find(_name(task))

    def keep(self, task: str, record: str) -> None:
        """Keep a record, of a refusal too. A folder that cannot be written keeps nothing."""
        if len(record) < _MOST_BYTES:
            self._texts.keep(_name(task), record)

    def close(self) -> None:
        """Those used longest ago make room for what was kept."""
        self._texts.close()


def _name(task: str) -> str:
    return hashlib.sha256(f"{compiler_identity()}\0{task}".encode()).hexdigest()
