"""The reference of scheduling directives: from their operations, rewrites, and the files that test them."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from xdsl.irdl import OptPropertyDef, VarOperandDef

import vtac.passes.directives as rewrites
from sitegen.examples import Case, cases_of, gives_the_same, last_step, script_text
from sitegen.python_names import signature_text
from sitegen.text import code, docstring, fence, page, section, shortened, table, wrapped
from vtac.dialects.schedule import DIRECTIVES
from vtac.dialects.schedule.arguments import directive_name
from vtac.dialects.schedule.directives import DirectiveOp
from vtac.schedule import Schedule

_LOOKUPS = ("get_block", "get_loops", "get_loop", "get_buffer")


def directives_page(root: Path) -> str:
    """Every directive: what it does, how it is written, when it is legal, an example that was run."""
    tests = root / "tests" / "passes" / "directives"
    intro = (
        "A directive rewrites the loop nests of a *payload*. It is a method of {py:class}`vtac.Schedule` and an "
        "operation of the `schedule` dialect at once. [Writing schedules](../schedules.md) is the introduction; this "
        "page is made from the code: arguments from the operations, legality from the rewrites, and each example is "
        "the first case of the directive's test, run when the page was built."
    )
    return page("Directives", intro, *(_entry(kind, tests) for kind in DIRECTIVES))


def without_example(root: Path) -> list[str]:
    """The directives whose tests give no example."""
    tests = root / "tests" / "passes" / "directives"
    return [name for kind in DIRECTIVES if _example(name := directive_name(kind), _cases(name, tests)) == ""]


def _entry(kind: type[DirectiveOp], tests: Path) -> str:
    name = directive_name(kind)
    method = getattr(Schedule, name)
    cases = _cases(name, tests)
    call = f"schedule.{name}{signature_text(method, bound=True)}"
    return section(
        2,
        name,
        max(docstring(kind), docstring(method), key=len),
        wrapped(call, "python"),
        _arguments(kind),
        f"As text: {code(f'{kind.name} {_format(kind)}')}" if _format(kind) else "",
        "" if name in _LOOKUPS else _legality(name),
        _example(name, cases),
        _refusals(cases),
    )


def _cases(name: str, tests: Path) -> tuple[Case, ...]:
    return cases_of(tests / f"{'lookup' if name in _LOOKUPS else name}.mlir")


def _format(kind: type[DirectiveOp]) -> str:
    found: object = getattr(kind, "assembly_format", None)
    return found if isinstance(found, str) else ""


def _arguments(kind: type[DirectiveOp]) -> str:
    definition = kind.get_irdl_definition()
    rows = [
        (code(what), "any number of handles" if isinstance(declared, VarOperandDef) else "a handle", "")
        for what, declared in definition.operands
    ]
    rows += [
        (code(what), _readable(declared.constr), "optional" if isinstance(declared, OptPropertyDef) else "")
        for what, declared in definition.properties.items()
    ]
    rows += [(code(what), "a handle that it gives", "") for what, _ in definition.results]
    return table(("argument", "what it is", ""), rows)


def _readable(constraint: object) -> str:
    text = str(constraint)
    for found, words in (
        ("Tail", "`error`, `guard` or `peel`"),
        ("StringAttr", "a string"),
        ("UnitAttr", "a flag"),
        ("SymbolNameConstraint", "a name"),
        ("DenseArrayBase", "integers"),
        ("IntegerAttr", "an integer of 64 bits"),
        ("IntegerType", "an integer of 64 bits"),
    ):
        if found in text:
            return words
    return "an attribute"


def _legality(name: str) -> str:
    """What the rewrite's docstring requires, and drawings of what it does from its file."""
    for module in iter_modules(rewrites.__path__):
        file = import_module(f"{rewrites.__name__}.{module.name}")
        rewrite: object = getattr(file, name, None)
        if inspect.isfunction(rewrite) and rewrite.__module__ == file.__name__ and inspect.getdoc(rewrite):
            drawing = docstring(file) if module.name == name else ""
            drawing = drawing.partition("\n\n")[2]
            return "\n\n".join(filter(None, [docstring(rewrite), drawing]))
    return ""


@cache
def _example(name: str, cases: tuple[Case, ...]) -> str:
    if name in _LOOKUPS:
        return _lines_with(name, script_text(cases[0])) if cases else ""
    for case in cases:
        step = None if case.refusals else last_step(case, name)
        if step is None:
            continue
        line = next((line.strip() for line in script_text(case).splitlines() if f".{name} " in line), "")
        shown = fence(shortened(f"{step.directive}\n{step.diff()}", 40), "diff")
        ran = "\nBoth programs were run on random numbers, and gave the same.\n" if gives_the_same(case) else ""
        return f"For example, {code(line)}:\n\n{shown}{ran}"
    return ""


def _lines_with(name: str, script: str) -> str:
    return fence("\n".join(line.strip() for line in script.splitlines() if f".{name} " in line), "mlir")


def _refusals(cases: tuple[Case, ...]) -> str:
    found = list(dict.fromkeys(text for case in cases for text in case.refusals))
    return "Refused, for example:\n\n" + wrapped("\n".join(found)) if found else ""
