"""What CUDA programs have alike, of one kernel and of several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vtac.lazily import written_by

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


class Compiled:
    """A program that has a line of its own, remembers its `source`, and has a report."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def report(self, path: str | Path | None = None) -> str:
        """Its report, one HTML page, also written to `path` if one is given; see `vtac.report`."""
        return written_by("vtac.report.page.document", "report")(self, path)

    def keep_source(self, module: ModuleOp) -> None:
        """Remember what it was compiled from: a module with hardware and schedule settled."""
        object.__setattr__(self, "source", module)
