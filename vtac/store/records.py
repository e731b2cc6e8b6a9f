"""The records of a store: what was tried, on what, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, cast

Status = Literal["ok", "refused", "crashed", "timeout", "failed"]
"""`refused` by the compiler, `crashed` its worker twice, `timeout` took too long, `failed` by an error of vtac's."""
MISHAPS: tuple[Status, ...] = ("crashed", "timeout", "failed")


@dataclass(frozen=True)
class Trial:
    """What is tried: a `candidate` for a `problem` on a `machine`, judged by a `model`; each is a text."""

    problem: str
    machine: str
    candidate: str
    model: str


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: its measures where the status is `ok`, else the `message` that says why not.

    `more` is JSON that belongs to the measures.
    """

    status: Status
    cycles: int = 0
    nbytes: int = 0
    instructions: int = 0
    message: str = ""
    more: str = ""

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"

    @property
    def is_mishap(self) -> bool:
        """Whether it says nothing of the candidate for sure: tried again, it may become something else."""
        return self.status in MISHAPS


def canonical(value: object) -> str:
    """A record as text that is equal for equal records: fields that do not count in comparisons are left out."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """32 hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        named: dict[str, object] = {field.name: getattr(value, field.name) for field in fields(value) if field.compare}
        return {"": type(value).__name__, **{name: _plain(one) for name, one in named.items()}}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in cast("Sequence[object]", value)]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in cast("Mapping[object, object]", value).items()}
    return value
