"""Small texts in a cache, each under a digest of its own: what is damaged counts as missing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from vtac.files.cache_entries import Entries
from vtac.files.reading import read_regular


@dataclass
class SealedTexts:
    """Texts by name, of at most `most_bytes` each."""

    entries: Entries
    most_bytes: int
    _has_new: bool = field(default=False, init=False)

    def find(self, name: str) -> str | None:
        """The text of a name, which counts as used now; None where there is none, or a damaged one."""
        try:
            sealed, _, text = read_regular(self.entries.path(name), self.most_bytes).decode().partition("\n")
        except (OSError, ValueError):
            return None
        if sealed != _seal(name, text):
            return None
        self.entries.use(name)
        return text

    def keep(self, name: str, text: str) -> None:
        """Keep a text. A folder that cannot be written keeps nothing."""
        try:
            self.entries.put_file(name, f"{_seal(name, text)}\n{text}".encode())
        except OSError:
            return
        self._has_new = True

    def close(self) -> None:
        """Those used longest ago make room for what was kept."""
        if self._has_new:
            self.entries.make_room()


def _seal(name: str, text: str) -> str:
    return hashlib.sha256(f"{name}{text}".encode()).hexdigest()
