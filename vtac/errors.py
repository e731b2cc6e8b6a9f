"""The errors that a user of the compiler can meet, and their one-message form."""

from __future__ import annotations

from collections.abc import Sequence


class VtacError(Exception):
    """Base of every error that is the input's fault, never the compiler's.

    `str(error)` is one complete message: what was tried, what was found and where,
    what is required and by which rule, and what to do next.
    """

    @property
    def message(self) -> str:
        return str(self)


class ConfigError(VtacError, ValueError):
    """A hardware record that contradicts itself or the encoding it needs."""


class CompileError(VtacError):
    """A program or schedule that cannot be compiled as asked.

    `location` is `file:line:col` of the operation at fault, or empty when it has none.
    """

    location: str

    def __init__(self, message: str, location: str = "") -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.location = location


class JointCompileError(CompileError):
    """Several findings at once, in program order, each a line; `advice` holds for all of them."""

    errors: tuple[CompileError, ...]
    advice: str

    def __init__(self, errors: Sequence[CompileError], advice: str = "") -> None:
        super().__init__("\n".join([*map(str, errors), *filter(None, [advice])]))
        self.location = errors[0].location
        self.errors = tuple(errors)
        self.advice = advice


class ScheduleError(CompileError):
    """A scheduling directive that is illegal where it was applied."""


class NoDefaultScheduleError(ScheduleError):
    """A function that no default schedule is for; one may be given, or another way taken."""


class TilingError(CompileError):
    """A tiling that the hardware cannot execute: too much at once, or in an order that its pipeline forbids.

    Another tiling of the same program may do. Searches pass over tilings for this reason and no other.
    """


class EvaluationError(VtacError):
    """A program that cannot be executed at the level of its IR, or whose execution has no defined result.

    `location` is `file:line:col` of the operation at fault, or empty when it has none.
    """

    location: str

    def __init__(self, message: str, location: str = "") -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.location = location


class ModelError(VtacError):
    """A trained model whose layers contradict one another, that cannot be read, or that is called wrongly."""


class ProgramError(VtacError):
    """A program called, saved or loaded in a way it does not allow."""


class ExecutionError(VtacError):
    """An instruction stream that cannot be executed.

    `message` is complete by itself; `index` is the position of the instruction at fault, None when
    no instruction is; `kind` is one word for the rule that was broken.
    """

    index: int | None
    kind: str

    def __init__(self, message: str, index: int | None, kind: str) -> None:
        super().__init__(message)
        self.index = index
        self.kind = kind


class CycleError(ExecutionError):
    """A stream that never finishes on the hardware, or whose run the hardware does not define.

    `index` is the instruction at fault (for a deadlock, the earliest that waits). `kind` is a decoding
    fault (`length`, `opcode`, `memory`, `alu-opcode`), `finish` (no FINISH, or not last), `sram-range`
    (a block larger than its memory), `deadlock`, `hang` (a LOAD that never ends) or `tokens` (a queue
    has to hold more than its counter counts).
    """


class EncodingError(VtacError, ValueError):
    """A field value that its bits cannot hold.

    `index` is the instruction's or micro-op's position in the list given.
    """

    index: int

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


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

    line: int

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class ToolMissingError(VtacError):
    """A compiler, disassembler, package or device that is not here; the message says how to get it."""


class KernelTextError(CompileError):
    """Kernel text that a compiler refuses; the message carries the compiler's own."""


class LaunchError(VtacError):
    """A launch that a kernel or an architecture does not allow, or arrays that do not fit it."""


class KernelFault(VtacError):  # noqa: N818 - a fault of the program that ran, as on a device
    """A kernel that did something illegal when executed; `kind` names the rule it broke.

    Kinds: out-of-bounds, write-to-input, misaligned, pitch, divergence, warp-divergence,
    async-copy, race, shared-memory, signature, order-dependent, stack-overflow, timeout, crash, memory, limit.
    """

    kind: str

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
