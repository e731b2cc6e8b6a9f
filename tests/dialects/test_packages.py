"""Dialects of GPUs are loaded where a program uses them, and not for one of the VTA."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from vtac.dialects import mma, tma, wgmma, wmma
from vtac.dialects.mma.ops import TilesOp
from vtac.dialects.registers import InRegisters
from vtac.dialects.wmma.ops import FragmentsOp

_COMPILES = """
import sys
import vtac
from vtac.workloads.vadd import VectorAdd
layer = VectorAdd()
vtac.compile(vtac.parse(f"{layer.text()}\\n{layer.schedule()}"))
print(*(name for name in sys.modules if name.startswith("vtac.dialects.")))
"""


def test_a_program_of_the_vta_loads_no_operation_of_a_gpu() -> None:
    ran = subprocess.run([sys.executable, "-c", _COMPILES], check=True, capture_output=True, text=True)
    loaded = ran.stdout.split()
    assert "vtac.dialects.vta.kernels" in loaded
    gpu = [f"vtac.dialects.{name}.{part}" for name in ("wmma", "mma", "wgmma", "tma") for part in ("dialect", "ops")]
    assert not set(gpu) & set(loaded)


@pytest.mark.parametrize("package", [mma, tma, wgmma, wmma])
def test_packages_hold_their_dialect_and_all_that_it_names(package: ModuleType) -> None:
    home = import_module(f"{package.__name__}.dialect")
    names: list[str] = vars(home)["__all__"]
    assert all(getattr(package, name) is getattr(home, name) for name in names)
    dialect = getattr(package, next(name for name in names if name.isupper()))
    assert {kind.__name__ for kind in dialect.operations} <= set(names)
    assert all(pickle.loads(pickle.dumps(kind)) is kind for kind in dialect.operations)


def test_what_a_package_does_not_hold_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'vtac\.dialects\.mma' has no attribute 'NoOp'$"):
        _ = mma.NoOp  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def test_what_lies_in_registers_is_declared_by_two_operations() -> None:
    kinds = [kind for package in (mma.MMA, wmma.WMMA) for kind in package.operations]
    assert {kind for kind in kinds if kind.has_trait(InRegisters)} == {TilesOp, FragmentsOp}
