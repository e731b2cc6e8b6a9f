"""The errors that a user of the compiler can meet, and their one-message form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_ADVICE = (
    "allow|bind|call|change|choose|compile|convert|declare|did you mean|drop|end|export|fuse|get|give|install|leave|"
    "let|load|lower|make|move|name|pass|quantise|quantize|reduce|remove|rename|reorder|rerun|reshape|rewrite|run|save|set|"
    "split|start|store|take|try|use|write"
)
_REMEDY = re.compile(rf"(?s)(?P<found>.*)[;:] (?P<remedy>(?:{_ADVICE})\b[^;]*)")
"""A message that ends in advice, by which word it begins with."""
_REQUIRED = (
    re.compile(r"\bexpected (?P<part>[^;]+?)(?:, found |;|$)"),
    re.compile(r"\brequired: (?P<part>[^;]+)"),
    re.compile(r"\bthe program takes (?P<part>\d+ \([^)]*\)|[^;]+?)(?=: |;|$)"),
    re.compile(r"(?:^|[;:,] )(?P<part>[^;:]+? (?:is|are) (?:required|possible|available))\b"),
    re.compile(r"[;:] (?P<part>(?:the )?[\w' ]+ (?:here|there|are|has|have):? [^;]+)"),
)
"""How messages say what would have been right."""
_TRIED = re.compile(r"(?:^|: )cannot (?P<part>[^;:,]+)")
"""How messages say what was to be done."""


class VtacError(Exception):
    """Base of every error that is the input's fault, never the compiler's.

    `str(error)` is one complete message: what was tried, what was found and where,
    what is required and by which rule, and what to do next. `kind` is one word for the class of
    fault; the other parts are the message's, empty where it has none. Notes, which a traceback
    shows below the message, quote the place.
    """

    kind: str = "error"
    trace: TracebackType | None = None
    """Where in the compiler it arose, of an error of the Python interface, which shows its caller alone."""
    _tried: str = ""
    _found: str = ""
    _required: str = ""
    _remedy: str = ""

    @property
    def message(self) -> str:
        return str(self)

    @property
    def tried(self) -> str:
        """What was to be done: as it was stated, else as the message says; empty where it does not."""
        match = None if self._tried else _TRIED.search(self.message)
        return match["part"] if match else self._tried

    @property
    def required(self) -> str:
        """What would have been right: as it was stated, else as the message says; empty where it does not."""
        if self._required:
            return self._required
        found = (match for pattern in _REQUIRED if (match := pattern.search(self._parts()[0])))
        return next((match["part"] for match in found), "")

    @property
    def found(self) -> str:
        """What is the case: the message without the place, what was tried and advice."""
        return self._found or self._parts()[0]

    @property
    def remedy(self) -> str:
        """What to do: as it was stated, else the message's last clause where that is advice."""
        return self._remedy or self._parts()[1]

    @property
    def locations(self) -> tuple[str, ...]:
        """Places in sources, `file:line:col` or `file:line`."""
        return ()

    def parts(self, *, tried: str = "", found: str = "", required: str = "", remedy: str = "") -> Self:
        """Say which parts the message has; the error itself."""
        self._tried, self._required, self._found, self._remedy = tried, required, found, remedy
        return self

    def to_fields(self) -> dict[str, object]:
        """The parts by name, as `--json` prints them."""
        fields = ("kind", "message", "tried", "found", "required", "remedy")
        return {**{name: getattr(self, name) for name in fields}, "locations": list(self.locations)}

    def _parts(self) -> tuple[str, str]:
        text = self.message
        for place in self.locations:
            text = text.removeprefix(f"{place}: ")
        match = _REMEDY.fullmatch(text)
        return (match["found"], match["remedy"]) if match else (text, "")


class ConfigError(VtacError, ValueError):
    """A hardware record that contradicts itself or the encoding it needs."""

    kind = "config"


class _LocatedError(Exception):
    """What is about an operation; `location` is its `file:line:col`, or empty when it has none."""

    location: str

    def __init__(self, message: str, location: str = "") -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.location = location

    @property
    def locations(self) -> tuple[str, ...]:
        return (self.location,) if self.location else ()


class CompileError(_LocatedError, VtacError):
    """A program or schedule that cannot be compiled as asked."""

    kind = "compile"


class JointCompileError(CompileError):
    """Several findings at once, in program order, each a line; `advice` holds for all of them."""

    errors: tuple[CompileError, ...]
    advice: str

    def __init__(self, errors: Sequence[CompileError], advice: str = "") -> None:
        super().__init__("\n".join([*map(str, errors), *filter(None, [advice])]))
        self.location = errors[0].location
        self.errors = tuple(errors)
        self.advice = advice
        self._remedy = advice

    @property
    def locations(self) -> tuple[str, ...]:
        return tuple(place for error in self.errors for place in error.locations)


class ScheduleError(CompileError):
    """A scheduling directive that is illegal where it was applied.

    `caller` is the line of a Python program that gave the directive, `file:line`, or empty for a script's;
    `nest` the loop nest that it was to change, around what it was about, which is marked.
    """

    kind = "schedule"
    caller: str = ""
    nest: str = ""

    @property
    def locations(self) -> tuple[str, ...]:
        return (*super().locations, *([self.caller] if self.caller else []))


class NoDefaultScheduleError(ScheduleError):
    """A function that no default schedule is for; one may be given, or another way taken."""


class TilingError(CompileError):
    """A tiling that the hardware cannot execute: too much at once, or in an order that its pipeline forbids.

    Another tiling of the same program may do. Searches pass over tilings for this reason and no other.
    """

    kind = "tiling"


class EvaluationError(_LocatedError, VtacError):
    """A program that cannot be executed at the level of its IR, or whose execution has no defined result."""

    kind = "evaluation"


class ModelError(VtacError):
    """A trained model whose layers contradict one another, that cannot be read, or that is called wrongly."""

    kind = "model"


class ProgramError(VtacError):
    """A program called, saved or loaded in a way it does not allow."""

    kind = "program"


class DeviceError(VtacError):
    """A device that cannot be reached, or does not do what was asked; `reason` is one word for why."""

    kind = "device"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ExecutionError(VtacError):
    """An instruction stream that cannot be executed.

    `message` is complete by itself; `index` is the position of the instruction at fault, None when
    no instruction is; `kind` is one word for the rule that was broken. `location` is the `file:line:col` that the
    instruction comes from, empty where that is not known: of a stream alone it is not.
    """

    index: int | None
    kind: str
    location: str

    def __init__(self, message: str, index: int | None, kind: str, location: str = "") -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.index = index
        self.kind = kind
        self.location = location

    @property
    def locations(self) -> tuple[str, ...]:
        return (self.location,) if self.location else ()


class CycleError(ExecutionError):
    """A stream that never finishes on the hardware, or whose run the hardware does not define.

    `index` is the instruction at fault (for a deadlock, the earliest that waits). `kind` is a decoding
    fault (`length`, `opcode`, `memory`, `alu-opcode`), `finish` (no FINISH, or not last), `sram-range`
    (a block larger than its memory), `deadlock`, `hang` (a LOAD that never ends) or `tokens` (a queue
    has to hold more than its counter counts).
    """


class EncodingError(_LocatedError, VtacError, ValueError):
    """A field value that its bits cannot hold.

    `index` is the instruction's or micro-op's position in the list given; `of_micro_op` says which of both it is.
    """

    kind = "encoding"
    index: int
    of_micro_op: bool

    def __init__(self, message: str, index: int, location: str = "", *, of_micro_op: bool = False) -> None:
        super().__init__(message, location)
        self.index = index
        self.of_micro_op = of_micro_op


class DecodeError(VtacError, ValueError):
    """Bytes that are no instruction stream.

    `index` is the instruction's position; `kind` is `length`, `opcode`, `memory` or `alu-opcode`.
    """

    index: int
    kind: str

    def __init__(self, message: str, index: int, kind: str) -> None:
        super().__init__(message)
        self.index = index
        self.kind = kind


class AssemblyError(VtacError, ValueError):
    """Assembly text that cannot be read. `line` counts from 1."""

    kind = "assembly"
    line: int

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class ToolMissingError(VtacError):
    """A compiler, disassembler, package or device that is not here; the message says how to get it."""

    kind = "tool"


class KernelTextError(CompileError):
    """Kernel text that a compiler refuses; the message carries the compiler's own."""


class LaunchError(VtacError):
    """A launch that a kernel or an architecture does not allow, or arrays that do not fit it."""

    kind = "launch"


class KernelFault(VtacError):  # noqa: N818 - a fault of the program that ran, as on a device
    """A kernel that did something illegal when executed; `kind` names the rule it broke.

    Kinds: out-of-bounds, write-to-input, misaligned, pitch, divergence, warp-divergence,
    async-copy, race, shared-memory, signature, order-dependent, stack-overflow, timeout, crash, memory, limit.
    """

    kind: str

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
