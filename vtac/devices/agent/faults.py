"""What an agent refuses, in a form that travels."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a crash
    """A request that is not done: `kind` is one word for the reason, `remedy` what to do instead."""

    def __init__(self, kind: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.remedy = remedy

    def to_fields(self) -> dict[str, object]:
        return {"kind": self.kind, "message": self.message, "remedy": self.remedy}


class DeviceLost(Refusal):
    """A run after which nobody knows what the accelerator does: it has to be reset before the next."""


class Disconnected(Exception):  # noqa: N818 - how a connection ends, which is no error
    """The other end is gone."""
