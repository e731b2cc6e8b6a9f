"""Programs that tests call run on other devices, too: behind a pipe, and on models of both designs' registers.

What a device computes is what the
interpreter has computed, bit by bit, or the test fails; what a device refuses is counted by its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps

import numpy as np
import pytest

import vtac
from vtac.devices.agent.service import Limits, Service
from vtac.devices.channels import LocalChannel
from vtac.devices.device import Device
from vtac.devices.models.opening import model_board
from vtac.errors import DeviceError
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram

Outputs = Array | tuple[Array, ...]
Call = Callable[..., Outputs]
PIPE, CHISEL, HLS = "pipe:sim", "model:de10nano", "model:pynq"
DEVICES = (PIPE, CHISEL, HLS)
_RUN_SECONDS = 120.0


@dataclass
class Everywhere:
    """Counts of what devices have done: by device and outcome, which is `equal` or the reason of a refusal."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _pipe: Device | None = None
    _is_within: bool = False

    def compare(self, program: VtaProgram, arrays: Sequence[Array], expected: Outputs) -> None:
        """Run a program on all devices. Raises `AssertionError` where one computes something else."""
        for name in DEVICES:
            with self._device(name, program) as device:
                self.counts[name, self._outcome(device, name, program, arrays, expected)] += 1

    def _outcome(
        self, device: Device, name: str, program: VtaProgram, arrays: Sequence[Array], expected: Outputs
    ) -> str:
        try:
            loaded = program.to(device, _RUN_SECONDS)
        except DeviceError as error:
            assert name != PIPE, f"a simulator behind a pipe refuses what one here executes: {error}"
            return error.reason
        found = loaded(*arrays)
        loaded.close()
        for one, other in zip(_all(found), _all(expected), strict=True):
            assert np.array_equal(one, other), f"{name} computes something else than the interpreter"
        return "equal"

    @contextmanager
    def _device(self, name: str, program: VtaProgram) -> Generator[Device]:
        if name == PIPE:
            if self._pipe is None or self._pipe.closed:
                self._pipe = vtac.devices.open(PIPE)
            yield self._pipe
            return
        board, _ = model_board(name.partition(":")[2], program.config)
        with Device(name, LocalChannel(board, Service(board, Limits()), "test")) as device:
            yield device

    @contextmanager
    def following(self) -> Generator[None]:
        """Every call of a program is followed by runs on all devices."""
        with pytest.MonkeyPatch.context() as patch:
            for kind in (Program, HostProgram):
                patch.setattr(kind, "__call__", self._followed(kind.__call__))
            yield

    def _followed(self, call: Call) -> Call:
        @wraps(call)
        def followed(program: VtaProgram, *arrays: Array, **options: object) -> Outputs:
            outer, self._is_within = self._is_within, True
            try:
                expected = call(program, *arrays, **options)
                if not outer:
                    self.compare(program, arrays, expected)
            finally:
                self._is_within = outer
            return expected

        return followed

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()

    def lines(self) -> list[str]:
        """A line for each device."""
        found: list[str] = []
        for name in DEVICES:
            outcomes = {outcome: count for (device, outcome), count in self.counts.items() if device == name}
            equal, refused = outcomes.pop("equal", 0), sum(outcomes.values())
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(outcomes.items()))
            found.append(
                f"{name}: {equal} calls of programs equal, {refused} refused{f' ({reasons})' if reasons else ''}"
            )
        return found


def _all(outputs: Outputs) -> tuple[Array, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
