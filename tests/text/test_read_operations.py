"""The page on plain programs lists the operations that are read and executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from xdsl.ir import Dialect

from vtac.dialects.frontend_arith import FrontendArith
from vtac.dialects.frontend_scalars import FrontendMath
from vtac.dialects.named_linalg import NamedLinalg
from vtac.evaluate.arith import SUPPORTED

PAGE = Path(__file__).resolve().parents[2] / "docs/plain-programs.md"
PATTERNS = ("conv_", "depthwise_conv_", "pooling_")
IN_BODIES = {"yield", "index", "matmul_transpose_b"}
"""What stands in bodies, and an older name of a product."""
NOT_READ = {"scaling_extf", "scaling_truncf", "isnormal", "sincos"}
"""Operations of MLIR that are not even read."""


def listed(dialect: str) -> set[str]:
    row = re.search(rf"^\| {dialect} \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None
    return {name for name in re.findall(r"`([\w*]+)`", row[1]) if "*" not in name}


def test_all_operations_of_linalg_are_listed() -> None:
    names = {operation.name.removeprefix("linalg.") for operation in NamedLinalg.operations}
    assert listed("linalg") == {name for name in names - IN_BODIES if not name.startswith(PATTERNS)}


@pytest.mark.parametrize("dialect", [FrontendArith, FrontendMath], ids=["arith", "math"])
def test_operations_that_are_not_executed_are_listed(dialect: Dialect) -> None:
    missing = {operation.name for operation in dialect.operations if operation.name not in SUPPORTED}
    assert listed(dialect.name) - NOT_READ == {name.partition(".")[2] for name in missing}
