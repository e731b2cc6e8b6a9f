"""Attributes that hold one record of plain Python, which checks itself and says how it is written."""

from __future__ import annotations

from typing import Protocol, TypeVar

from xdsl.ir import Data
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException


class Record(Protocol):
    """What such an attribute holds."""

    @property
    def shown(self) -> str:
        """The record as its attribute prints it, without angle brackets."""
        ...

    def problem(self) -> str:
        """What rule the record breaks; empty when it breaks none."""
        ...


Record_co = TypeVar("Record_co", bound=Record, covariant=True)


class RecordAttribute(Data[Record_co]):
    """Verified and printed by its record; a subclass has a name and parses."""

    def verify(self) -> None:
        problem = self.data.problem()
        if problem:
            raise VerifyException(problem)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data.shown)
