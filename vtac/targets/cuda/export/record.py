"""What `launch.json` of an exported CUDA program says: launches, shared memory, architecture, alignments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vtac.dialects.clusters import FIRST_WITH_CLUSTERS
from vtac.dialects.gpu_hardware import gpu_architectures
from vtac.dialects.mma.layouts import FIRST_CAPABILITY as FIRST_WITH_LANES
from vtac.dialects.tensor_maps import FIRST_CAPABILITY as FIRST_WITH_BOXES
from vtac.lazily import installed_version
from vtac.targets.cuda.emit.fragment_names import FRAGMENT_ELEMENTS
from vtac.targets.cuda.emit.header import POINTER_ALIGNMENT
from vtac.targets.cuda.export.launcher import Exported
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.network import MARK

_SHARED = re.compile(r"^\s*__shared__ __align__\(\d+\) (?P<type>[\w ]+?) \w+\[(?P<count>\d+)\];", re.MULTILINE)
_FRAGMENT = re.compile(r"wmma::fragment<wmma::matrix_a, (\d+), (\d+), (\d+), ([\w:]+(?: char)?)")
_BYTES = {
    "half": 2,
    "__nv_bfloat16": 2,
    "float": 4,
    "int": 4,
    "signed char": 1,
    "unsigned char": 1,
    "unsigned long long": 8,
}


def launch_json(exported: Exported, architecture: str | None, digests: Mapping[str, str]) -> str:
    """The record as JSON text, with digests of the other files by name."""
    plan = exported.plan
    fields = {
        "version": installed_version("vtac"),
        "architecture": architecture,
        "minimum_architecture": minimum_architecture(exported.text),
        "pointer_alignment_bytes": POINTER_ALIGNMENT,
        "scratch_alignment_bytes": 256,
        "kernels": [
            {
                "kernel": kernel.kernel,
                "grid": list(kernel.grid),
                "block": list(kernel.block),
                "static_shared_bytes": static_bytes(exported.text, kernel),
                "dynamic_shared_bytes": kernel.shared_bytes,
            }
            for kernel in plan.kernels
        ],
        "plan": plan.to_json(),
        **({} if exported.dynamic is None else {"dynamic": exported.dynamic.to_json()}),
        "digests": dict(digests),
    }
    return json.dumps(fields, indent=2) + "\n"


_FIRST_WITH: tuple[tuple[str, tuple[int, int]], ...] = (
    ("mma.sync.", FIRST_WITH_LANES),
    ("cp.async.", FIRST_WITH_LANES),
    ("stmatrix.", FIRST_WITH_BOXES),
    ("cp.async.bulk", FIRST_WITH_BOXES),
    ("__cluster_dims__", FIRST_WITH_CLUSTERS),
)
"""Words of a text, each with the first compute capability that has what it stands for."""


def static_bytes(text: str, kernel: LaunchRecord) -> int:
    """Static shared memory of one kernel of a text, by its declarations."""
    parts = text.split(f"\n{MARK}")
    own = next((part for part in parts[1:] if part.split("\n", 1)[0] == kernel.kernel), text)
    return sum(int(found["count"]) * _BYTES[found["type"]] for found in _SHARED.finditer(own))


def minimum_architecture(text: str) -> str:
    """The first architecture that has the fragments and the instructions of a text, and its clusters."""
    elements = {name: element for element, name in FRAGMENT_ELEMENTS.items()}
    wanted = {(int(m), int(n), int(k), elements.get(kind.strip(), kind)) for m, n, k, kind in _FRAGMENT.findall(text)}
    for record in gpu_architectures().values():
        if any(word in text and record.compute_capability < first for word, first in _FIRST_WITH):
            continue
        if not record.warpgroup_products and any(word in text for word in ("wgmma.", "setmaxnreg.")):
            continue
        has = {(one.m, one.n, one.k, one.operand) for one in record.operations}
        if wanted <= has:
            return record.name
    return list(gpu_architectures())[-1]
