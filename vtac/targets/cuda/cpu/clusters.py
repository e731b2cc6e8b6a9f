"""The clusters that a text and a launch record speak of."""

from __future__ import annotations

import re

from vtac.errors import KernelTextError
from vtac.targets.cuda.launch import LaunchRecord

_DIMENSIONS = re.compile(r"__cluster_dims__\s*\(([\s\d,]*)\)")


def check_cluster(text: str, launch: LaunchRecord, place: str) -> None:
    """The text and the launch record speak of the same clusters. Raises `KernelTextError` otherwise."""
    found = _DIMENSIONS.search(text)
    numbers = [int(word) for word in found[1].split(",")] if found is not None else []
    said = tuple([*numbers, 1, 1, 1][:3]) if numbers else None
    if said != launch.cluster:
        shown = [
            f"clusters of {list(one)} blocks" if one is not None else "no clusters" for one in (said, launch.cluster)
        ]
        raise KernelTextError(
            f"kernel `{launch.kernel}` has {shown[0]} by its __cluster_dims__, the launch record {shown[1]}: make both "
            "the same",
            place,
        )
