"""The record of a saved CUDA program of several kernels: its plan, and digests of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vtac.files.digests import digest
from vtac.targets.cuda.gpu.cubins import Cubins, described_cubins
from vtac.targets.cuda.plan import LaunchPlan

TEXT_FILE = "kernels.cu"
PLAN_FILE = "plan.json"
CONSTANTS_FILE = "constants.npz"


def record_of(
    plan: LaunchPlan, files: Mapping[str, bytes], cubins: Cubins, dynamic: Mapping[str, object] | None = None
) -> bytes:
    """What `plan.json` holds: the plan, digests of the other files, and what there is to say of cubins."""
    compiled = {"cubins": described_cubins(cubins)} if cubins else {}
    sized = {} if dynamic is None else {"dynamic": dict(dynamic)}
    fields = {**plan.to_json(), **sized, **compiled, "digests": {name: digest(data) for name, data in files.items()}}
    return (json.dumps(fields, indent=2) + "\n").encode()
