"""A board for one process alone: two agents would give its memory away twice."""

from __future__ import annotations

import fcntl
import os
import tempfile

from vtac.devices.agent.faults import Refusal


class Lock:
    """Held until it is closed, or the process ends. Raises `Refusal`, with who has it, where another one does."""

    def __init__(self, name: str) -> None:
        path = os.path.join(tempfile.gettempdir(), f"vtac-{name}.lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Refusal("busy", f"cannot open {path}: {error.strerror}", "run the agent as its owner") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 200).decode("utf-8", "replace") or "another process"
            os.close(self._file)
            raise Refusal("busy", f"{name} is held by {holder}", "wait until it is free") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()}, {os.environ.get('SSH_CONNECTION', 'here')}".encode(), 0)

    def close(self) -> None:
        os.close(self._file)
