"""What became of one case: accepted, refused, or a failure with a signature that groups it with others."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

Status = Literal["accepted", "refused", "failed"]

_FRAMES_IN_SIGNATURE = 2


class UnfitError(Exception):
    """A case that its generator could not have made; a reducer's candidate, for one, that it must drop."""


class MismatchError(Exception):
    """Two answers that must be equal and are not. `level` says between which levels or oracles."""

    def __init__(self, level: str, detail: str) -> None:
        super().__init__(f"{level}: {detail}")
        self.level = level
        self.detail = detail


@dataclass(frozen=True)
class Outcome:
    """Of one case. `signature` is empty unless it failed; `reach` names what the case changed on its way."""

    status: Status
    signature: str = ""
    detail: str = ""
    reach: tuple[str, ...] = ()
    seconds: float = 0.0
    facts: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_json(self) -> dict[str, object]:
        """As plain data."""
        return {
            "status": self.status,
            "signature": self.signature,
            "detail": self.detail,
            "reach": list(self.reach),
            "seconds": round(self.seconds, 3),
            "facts": dict(self.facts),
        }

    @staticmethod
    def from_json(data: Mapping[str, object]) -> Outcome:
        """What `to_json` gave."""
        return Outcome(
            cast(Status, data["status"]),
            str(data["signature"]),
            str(data["detail"]),
            tuple(cast("list[str]", data["reach"])),
            cast(float, data["seconds"]),
            cast("dict[str, int]", data["facts"]),
        )


def failure(error: BaseException) -> Outcome:
    """The outcome of an exception that no case may end in."""
    if isinstance(error, MismatchError):
        return Outcome("failed", f"mismatch: {error.level}", error.detail)
    if isinstance(error, MemoryError):
        return Outcome("failed", "out of memory", _innermost(error))
    return Outcome("failed", f"{type(error).__name__} at {_innermost(error)}", f"{error}"[:2000])


def _innermost(error: BaseException) -> str:
    """The innermost frames in the compiler, without line numbers, so that edits elsewhere keep a signature."""
    frames = [
        f"{Path(frame.filename).stem}.{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "/fuzz/" not in frame.filename and "importlib" not in frame.filename
    ]
    return " < ".join(reversed(frames[-_FRAMES_IN_SIGNATURE:])) or "the case itself"
