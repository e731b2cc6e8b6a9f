"""The reference of scheduling directives: from their operations, rewrites, and the files that test them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType, UnionType
from typing import Literal, Union, cast, get_args, get_origin, get_type_hints

import vtac.passes.directives as rewrites
from sitegen.examples import Case, cases_of, gives_the_same, last_step, script_text
from sitegen.python_names import signature_text
from sitegen.text import code, docstring, fence, page, section, shortened, table, wrapped
from vtac.dialects.schedule import DIRECTIVES
from vtac.dialects.schedule.arguments import directive_name
from vtac.dialects.schedule.script import DirectiveOp
from vtac.schedule import BlockRef, BufferRef, LoopRef, Schedule

_LOOKUPS = ("get_block", "get_loops", "get_loop", "get_buffer")


def directives_page(root: Path) -> str:
    """Every directive: what it does, how it is written, when it is legal, an example that was run."""
    tests = root / "tests" / "passes" / "directives"
    intro = (
        "A directive rewrites the loop nests of a *payload*. It is a method of {py:class}`vtac.Schedule` and an "
        "operation of the `schedule` dialect at once. [Writing schedules](../schedules.md) is the introduction; this "
        "page is made from the code: arguments from the signatures, legality from the rewrites, and each example is "
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
        arguments_table(kind),
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


def arguments_table(kind: type[DirectiveOp]) -> str:
    """What a call takes, by the method's signature, and what it gives, by the operation's results."""
    method = getattr(Schedule, directive_name(kind))
    kinds = cast("Mapping[str, object]", get_type_hints(method))
    rows = [
        (code(name), _several(kinds[name]) if one.kind is one.VAR_POSITIONAL else readable(kinds[name]), _default(one))
        for name, one in list(inspect.signature(method).parameters.items())[1:]
    ]
    rows += [(code(name), "what it gives", "") for name, _ in kind.get_irdl_definition().results]
    return table(("argument", "what it is", "default"), rows)


def _default(one: inspect.Parameter) -> str:
    if one.default is inspect.Parameter.empty:
        return ""
    return "may be left out" if one.default is None else code(repr(one.default))


_WORDS: Mapping[object, str] = MappingProxyType(
    {
        BlockRef: "a block",
        LoopRef: "a loop",
        BufferRef: "a buffer",
        int: "a whole number",
        str: "a text",
        bool: "true or false",
        Sequence[int]: "whole numbers",
        Sequence[Sequence[int]]: "groups of whole numbers",
    }
)


def readable(kind: object) -> str:
    """A type in words."""
    if get_origin(kind) is Literal:
        return ", ".join(code(str(one)) for one in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        words = " or ".join(readable(one) for one in get_args(kind) if one is not type(None))
        return words.replace("` or a text", "`, or another text")
    return _WORDS.get(kind, "an attribute")


def _several(kind: object) -> str:
    """A type of which there may be any number."""
    return f"any number, each {readable(kind)}"


def _legality(name: str) -> str:
    """What the rewrite's docstring says of its contract, and drawings of what it does from its file."""
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
