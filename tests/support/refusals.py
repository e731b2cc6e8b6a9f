"""Refused directives: a case prepares a schedule and returns the call that must be refused, with its full text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from vtac.errors import ScheduleError
from vtac.schedule import Schedule

Setup: TypeAlias = Callable[[Schedule], Callable[[], object]]


@dataclass(frozen=True)
class Refusal:
    """A program, the setup whose returned call is refused, and the message."""

    program: str
    message: str
    setup: Setup

    def check(self) -> None:
        """The call raises that message; neither payload nor script has changed."""
        schedule = Schedule(self.program)
        call = self.setup(schedule)
        payload, script = str(schedule.module), str(schedule)
        with pytest.raises(ScheduleError) as caught:
            call()
        assert str(caught.value) == self.message
        assert str(schedule.module) == payload
        assert str(schedule) == script
        schedule.module.verify()


def refuses(program: str, message: str) -> Callable[[Setup], Callable[[], None]]:
    """Turn a setup into a test."""

    def make_test(setup: Setup) -> Callable[[], None]:
        def test() -> None:
            Refusal(program, message, setup).check()

        test.__name__ = setup.__name__
        test.__doc__ = setup.__doc__
        return test

    return make_test
