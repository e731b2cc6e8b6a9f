"""What the layer of a call takes at least, as the call says."""

from __future__ import annotations

from xdsl.dialects.func import CallOp

from vtac.dialects.vta.declared import WORK
from vtac.targets.vta.programs.work import Work


def work_at(call: CallOp) -> Work | None:
    """What the layer of a call of a device function takes at least, where the call says so."""
    fields = WORK.get(call)
    return None if fields is None else Work.from_fields(fields)
