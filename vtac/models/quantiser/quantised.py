"""A quantised model: what the quantiser returns, compiles and reports on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vtac.compiler import compile as vtac_compile
from vtac.errors import ModelError
from vtac.models.layer import Array
from vtac.models.quantiser.hosting import hosted_lines
from vtac.models.quantiser.program import QuantisedProgram
from vtac.models.quantiser.quantisation import Quantisation
from vtac.models.report.build import build_report
from vtac.models.report.report import Report
from vtac.text.short import counted

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.hardware import VTAConfig


@dataclass(frozen=True, eq=False, repr=False)
class QuantisedModel(Quantisation):
    """Integers for a float model: `module` is the network as linalg, `simulate` what it computes, in numpy."""

    _programs: list[QuantisedProgram] = field(default_factory=list[QuantisedProgram], repr=False)
    """The program that was compiled last, which reports look at."""

    def __repr__(self) -> str:
        graph = self.graph
        work = f"{counted(len(self.steps), 'step')}, {counted(len(self.products), 'product')} of bytes"
        return f"<QuantisedModel {graph.name}: {counted(len(graph.layers), 'layer')} in {work}>"

    @property
    def module(self) -> ModuleOp:
        """Integer linalg on plain tensors, one function, its parameters as constants."""
        return self.network.module()

    def compile(self, config: VTAConfig | str | Path | None = None, *, cache: bool | None = None) -> QuantisedProgram:
        """A VTA program of `module`, with `predict` on floats; `cache` as in `vtac.compile`."""
        program = vtac_compile(self.module, config=config, cache=cache)
        hosted = hosted_lines(self.graph, self.steps)
        measure = self.report if len(self.kept) else None
        self._programs[:] = [
            QuantisedProgram(program, self._filled_batches, self.integers, self.floats, hosted, measure)
        ]
        return self._programs[0]

    def report(
        self,
        samples: NDArray[Any] | Sequence[NDArray[Any]] | None = None,
        labels: NDArray[Any] | Sequence[int] | None = None,
    ) -> Report:
        """What each layer is worth on samples (some of the calibration data without them), and what it costs.

        An array, or one for each input; labels are integers, one for each sample. Cycles are those of the program
        that was compiled last; without one it is compiled for the default configuration. Raises `ModelError` where
        neither samples nor calibration data are there.
        """
        program = self._programs[0] if self._programs else self.compile()
        given = self.kept if samples is None else samples
        if not len(given):
            raise ModelError(f"model '{self.graph.name}' was quantised without data; samples are required for a report")
        return build_report(self, program, (given,) if isinstance(given, np.ndarray) else tuple(given), labels)

    def _filled_batches(self, *arrays: NDArray[Any]) -> Sequence[tuple[Array, ...]]:
        """Batches of arrays of any first dimension, zeros behind the last sample."""
        filled: list[NDArray[Any]] = []
        for given, array in zip(self.graph.inputs, arrays, strict=True):
            missing = -array.shape[0] % given.shape[0] if array.ndim else 0
            filled.append(np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array)
        return list(self.graph.batches(*filled))
