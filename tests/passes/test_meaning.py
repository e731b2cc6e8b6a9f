"""Programs in the files of passes and directives mean the same before and after what their file is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute

from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.tools.registry import pass_factories

HERE = Path(__file__).parent
NOT_EXECUTED = {"convert_schedule_to_scf.mlir", "apply_schedule_scripts.mlir"}
"""Files whose programs are of no level that executes as it stands: loops around vta ops, the scripts' own tests."""


def _parts(path: Path) -> list[str]:
    """The parts of a file that are not refused."""
    return [part for part in path.read_text().split("// -----") if "expected-error" not in part]


def _programs() -> list[tuple[str, str]]:
    """Pass name and text, one per part of a file that is not refused."""
    paths = sorted([*HERE.glob("linalg/*.mlir"), *HERE.glob("schedule/*.mlir")])
    return [
        (path.stem.replace("_", "-"), part) for path in paths if path.name not in NOT_EXECUTED for part in _parts(path)
    ]


def _scheduled() -> list[tuple[str, str]]:
    """Directive and text, one per part of a file that is not refused."""
    return [(path.stem, part) for path in sorted(HERE.glob("directives/*.mlir")) for part in _parts(path)]


@pytest.mark.parametrize(("name", "text"), _programs())
def test_a_pass_keeps_the_meaning(name: str, text: str) -> None:
    context = make_context()
    for before, after in zip(_functions(text), _functions(text), strict=True):
        arrays = _arguments(before)
        _apply(name, after, context)
        after.verify()
        _same(evaluate(before, *arrays), evaluate(after, *arrays))


@pytest.mark.parametrize(("name", "text"), _scheduled())
def test_a_directive_keeps_the_meaning(name: str, text: str) -> None:
    context = make_context()
    before, after = parse(text), parse(text)
    for module in (before, after):
        _apply("convert-linalg-to-schedule", module, context)
    _apply("apply-schedule", after, context)
    after.verify()
    arrays = _arguments(before)
    _same(evaluate(before, *arrays), evaluate(after, *arrays))


def _functions(text: str) -> list[ModuleOp]:
    """Each function of a text in a module of its own, behind it those that it calls; none that takes scalars."""
    functions = [function for function in parse(text).ops if isinstance(function, FuncOp)]
    return [_with_callees(function, functions) for function in functions if not _takes_scalars(function)]


def _with_callees(function: FuncOp, functions: Sequence[FuncOp]) -> ModuleOp:
    taken = [function]
    for one in taken:
        called = {op.callee.string_value() for op in one.walk() if isinstance(op, CallOp)}
        taken += [other for other in functions if other.sym_name.data in called and other not in taken]
    clones = [one.clone() for one in taken]
    for one in clones:
        one.sym_visibility = None if one is clones[0] else StringAttr("private")
    return ModuleOp(clones)


def _takes_scalars(function: FuncOp) -> bool:
    return not all(isinstance(argument.type, MemRefType | TensorType) for argument in function.body.block.args)


def _apply(name: str, module: ModuleOp, context: Context) -> None:
    pass_factories()[name]()().apply(context, module)


def _arguments(module: ModuleOp) -> list[Array]:
    """Random contents for what the caller of a function passes."""
    random, arrays = np.random.default_rng(0), list[Array]()
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    for argument in function.body.block.args:
        if (
            RESULT.of_argument(function, argument.index) is None
            and CONSTANT.of_argument(function, argument.index) is None
        ):
            arrays.append(_random(argument.type, random))
    return arrays


def _random(kind: Attribute, random: np.random.Generator) -> Array:
    assert isinstance(kind, MemRefType | TensorType)
    shaped = cast("MemRefType[Attribute] | TensorType[Attribute]", kind)
    shape, element = shaped.get_shape(), shaped.get_element_type()
    name = str(element)
    return random.integers(-8, 8, shape).astype(f"{'int' if name[0] == 'i' else 'float'}{name[1:]}")


def _same(before: Array | Sequence[Array], after: Array | Sequence[Array]) -> None:
    first = [before] if isinstance(before, np.ndarray) else list(before)
    second = [after] if isinstance(after, np.ndarray) else list(after)
    assert len(first) == len(second)
    for left, right in zip(first, second, strict=True):
        np.testing.assert_array_equal(left, right)
