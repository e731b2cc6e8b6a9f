"""Two activities that take turns: each runs until it has to wait for the other. Which comes first is fixed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np


class Turns:
    """Runs two functions, one of them at a time, as if they ran at the same time."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._turn = 0
        self._done = [False, False]
        self._stuck = [False, False]
        self._error: BaseException | None = None
        self._numbers: dict[int, int] = {}

    def run(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        """Run both to their ends; raises what either raises."""
        other = threading.Thread(target=self._run, args=(0, first), daemon=True)
        other.start()
        self._run(1, second)
        other.join()
        if self._error is not None:
            raise self._error

    def wait(self, is_over: Callable[[], bool]) -> bool:
        """Let the other one run until something is over; False where neither can go on."""
        own = self._numbers[threading.get_ident()]
        while not is_over():
            if self._done[1 - own] or (self._stuck[0] and self._stuck[1]):
                return False
            self._stuck[own] = True
            self._pass_on(own)
            if self._error is not None:
                return False
            if is_over():
                break
            if self._stuck[1 - own] or self._done[1 - own]:
                return False
        self._stuck[own] = False
        return True

    def _run(self, own: int, function: Callable[[], None]) -> None:
        self._numbers[threading.get_ident()] = own
        self._await_turn(own)
        try:
            if self._error is None:
                with np.errstate(all="ignore"):
                    function()
        except BaseException as error:
            self._error = self._error or error
        finally:
            with self._condition:
                self._done[own] = True
                self._turn = 1 - own
                self._condition.notify_all()

    def _pass_on(self, own: int) -> None:
        with self._condition:
            self._turn = 1 - own
            self._condition.notify_all()
        self._await_turn(own)

    def _await_turn(self, own: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._turn == own or self._done[1 - own])
