"""Examples of passes and directives: the first case of the file that tests each, run when the site is built."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.utils.hints import isa

from vtac.errors import VtacError
from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array
from vtac.passes.directives.steps import Step, steps_of
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.schedule.apply_schedule import ApplySchedule
from vtac.pipelines import Runner
from vtac.preparation import drop_scripts, scripts_of
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.tools.opt_driver import VtacOpt
from vtac.tools.opt_options import parse_options

_RUN = re.compile(r"^// RUN: vtac-opt %s (.*?)(?: \||$)", re.MULTILINE)
_KINDS = {"i8": np.int8, "i32": np.int32, "f16": np.float16, "f32": np.float32}
_EXPECTED = re.compile(r"// expected-error[^{]*\{\{(.*)\}\}")


@dataclass(frozen=True)
class Case:
    """One program of a test file: what it is said to show, its text, and how `vtac-opt` is called."""

    title: str
    text: str
    arguments: tuple[str, ...]
    refusals: tuple[str, ...] = ()


def cases_of(path: Path) -> tuple[Case, ...]:
    """The programs of a test file, with the options of its first RUN line."""
    if not path.is_file():
        return ()
    whole = path.read_text()
    found = _RUN.search(whole)
    arguments = tuple(_own_options(shlex.split(found[1]))) if found else ()
    return tuple(_case(chunk, arguments) for chunk in re.split(r"^// -----.*\n", whole, flags=re.MULTILINE))


def transformed(case: Case) -> str:
    """What `vtac-opt` prints for a case. Raises what the passes raise."""
    options = parse_options(["-", *case.arguments])
    driver = VtacOpt(options)
    module = parse(f"{case.text}\n")
    driver.apply_passes(module)
    return driver.output_resulting_program(module)


def last_step(case: Case, directive: str) -> Step | None:
    """The step in which a directive is applied in a case, with the loop nests around it; None where there is none."""
    module = parse(f"{case.text}\n")
    scripts = [script.clone() for script in scripts_of(module)]
    drop_scripts(module)
    if not scripts:
        return None
    Runner(make_context()).run_pass(ConvertLinalgToSchedule(), module)
    name = scripts[0].target.data
    function = next(op for op in module.walk() if isinstance(op, FuncOp) and op.sym_name.data == name)
    try:
        steps = [step for step in steps_of(scripts[0], function) if step.directive.startswith(f"{directive}(")]
    except VtacError:
        return None
    return steps[-1] if steps else None


def gives_the_same(case: Case) -> bool:
    """Whether the payload of a case computes the same numbers under its script; both are run on random arrays."""
    before, after = parse(f"{case.text}\n"), parse(f"{case.text}\n")
    drop_scripts(before)
    runner = Runner(make_context())
    runner.run_pass(ConvertLinalgToSchedule(), before)
    runner.run_passes((ConvertLinalgToSchedule(), ApplySchedule()), after)
    try:
        arrays = _random_arrays(before)
        results = [evaluate(module, *arrays) for module in (before, after)]
    except VtacError:
        return False
    first, second = (found if isinstance(found, tuple) else (found,) for found in results)
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def _random_arrays(module: ModuleOp) -> list[Array]:
    """Small whole numbers for the arguments of a payload's function."""
    random = np.random.default_rng(0)
    function = next(op for op in module.walk() if isinstance(op, FuncOp))
    arrays: list[Array] = []
    for argument, marks in zip(function.body.block.args, _marks(function), strict=True):
        if "schedule.result" not in marks and isa(argument.type, MemRefType):
            kind = _KINDS[str(argument.type.element_type)]
            arrays.append(random.integers(-8, 8, argument.type.get_shape()).astype(kind))
    return arrays


def _marks(function: FuncOp) -> list[set[str]]:
    found = function.arg_attrs
    if found is None:
        return [set() for _ in function.body.block.args]
    return [set(one.data) for one in found.data]


def script_text(case: Case) -> str:
    """The script of a case as it is written."""
    found = re.search(r"^schedule\.script .*?^\}", case.text, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def _own_options(words: list[str]) -> list[str]:
    dropped = ("--split-input-file", "--verify-diagnostics", "--verify-each")
    kept = [word for word in words if word not in dropped]
    return [_once(word) for word in kept]


def _once(word: str) -> str:
    """A pipeline that repeats its last pass, to show that it changes nothing twice, without that."""
    passes = re.findall(r"[\w-]+(?:\{[^}]*\})?", word)
    if len(passes) > 1 and passes[-1] == passes[-2] and ",".join(passes) == word:
        return ",".join(passes[:-1])
    return word


def _case(chunk: str, arguments: tuple[str, ...]) -> Case:
    refusals = tuple(_EXPECTED.findall(chunk))
    said = [line[2:].strip() for line in chunk.splitlines() if line.startswith("//")]
    title = " ".join(
        line for line in said if not re.match(r"(RUN|[A-Z][A-Z0-9_-]*[A-Z0-9](-\w+)?):|CHECK|expected", line)
    )
    kept = [line for line in chunk.splitlines() if not re.match(r"\s*//", line)]
    return Case(title.strip(), "\n".join(kept).strip(), arguments, refusals)
