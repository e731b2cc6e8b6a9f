"""Pictures of runs: timelines, traces and the HTML report. The package itself is `vtac.report(program, path)`."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)


class _Report(ModuleType):
    """A package that can be called: `vtac.report` is a function and holds modules."""

    def __call__(self, program: object, path: str | Path | None = None) -> str:
        """The report of a program as one HTML page, see `vtac.report.page.document.report`."""
        from vtac.report.page.document import report

        return report(program, path)


sys.modules[__name__].__class__ = _Report
