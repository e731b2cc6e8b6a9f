"""The languages of the compiler and the records that describe its hardware.

Each dialect is a package; beside them stand

    more of xDSL's dialects    named_linalg, named_operation, named_products, named_lines, named_windows,
                               named_spaces, named_elementwise, frontend_regions, frontend_reductions,
                               frontend_arith, frontend_scalars, frontend_memref, frontend_affine,
                               frontend_affine_parallel, frontend_scf, frontend_forall, frontend_tensor,
                               frontend_bufferization, frontend_gpu, redefinition
    parts of texts             affine_texts, region_texts
    types and constants        strided_layouts, packed_bits
    attributes                 declared, record_attributes, segments, frequent, making
    what several dialects say  computations, registers, scopes, clusters
    hardware of the VTA        hardware, hardware_fields, instruction_bits, memory_bus
    hardware of GPUs           gpu_hardware, gpu_roofs, tensor_maps, im2col
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from vtac.lazily import submodules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xdsl.ir import Dialect

__getattr__ = submodules_of(__name__)

_HOMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "affine": ("frontend_affine", "FrontendAffine"),
        "arith": ("frontend_arith", "FrontendArith"),
        "bufferization": ("frontend_bufferization", "FrontendBufferization"),
        "gpu": ("frontend_gpu", "FrontendGPU"),
        "linalg": ("named_linalg", "NamedLinalg"),
        "math": ("frontend_scalars", "FrontendMath"),
        "memref": ("frontend_memref", "FrontendMemRef"),
        "mma": ("mma", "MMA"),
        "packing": ("packing", "Packing"),
        "schedule": ("schedule", "Schedule"),
        "scf": ("frontend_scf", "FrontendScf"),
        "tensor": ("frontend_tensor", "FrontendTensor"),
        "tma": ("tma", "TMA"),
        "vta": ("vta", "VTA"),
        "wgmma": ("wgmma", "WGMMA"),
        "wmma": ("wmma", "WMMA"),
    }
)
"""Where each dialect is: its module and its name there."""


def get_all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Our dialects by name, none of them loaded yet.

    `affine`, `arith`, `bufferization`, `gpu`, `linalg`, `math`, `memref`, `scf` and `tensor` are xDSL's with more
    operations and more syntax: where they are registered, they take the place of xDSL's.
    """
    return {name: partial(_load, module, member) for name, (module, member) in _HOMES.items()}


def _load(module: str, member: str) -> Dialect:
    return cast("Dialect", getattr(import_module(f"vtac.dialects.{module}"), member))
