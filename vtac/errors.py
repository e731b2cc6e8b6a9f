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
