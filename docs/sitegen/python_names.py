"""The reference of the Python interface: every public name, from its signature and docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from typing import cast, get_overloads

import vtac
from sitegen.text import docstring, page, section, table, wrapped

_ORDER = {
    "Programs": ("parse", "compile", "load_program", "bind", "report"),
    "Schedules": ("Schedule", "tune", "TuneResult"),
    "Streams": ("execute", "check", "simulate_cycles", "Finding", "Timing", "VTAConfig"),
    "Models": ("from_onnx", "from_torch", "Model"),
    "Program classes": ("Program", "HostProgram", "VtaProgram", "CudaProgram", "CudaNetwork"),
    "Devices": ("devices",),
}
_INHERITED = ("args", "with_traceback", "add_note")


def python_page() -> str:
    """All names of `vtac.__all__`."""
    rest = sorted(set(vtac.__all__) - {name for names in _ORDER.values() for name in names})
    errors = [name for name in rest if _is_error(getattr(vtac, name))]
    groups = {**_ORDER, "Errors": tuple(errors), "Others": tuple(name for name in rest if name not in errors)}
    intro = (
        "`import vtac` gives these names; each is loaded when it is first used. Arrays are numpy's. What is the "
        "input's fault raises a {py:class}`vtac.VtacError` with one complete message."
    )
    return page(
        "Python interface",
        intro,
        *(section(2, title, *map(_entry, names)) for title, names in groups.items() if names),
    )


def _is_error(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Exception)


def _entry(name: str) -> str:
    found: object = getattr(vtac, name)
    path = f"vtac.{name}"
    if inspect.ismodule(found) and callable(found):
        return _described(path, getattr(import_module(f"{path}.page.document"), name))
    if inspect.ismodule(found):
        names = [one for one in getattr(found, "__all__", ()) if not inspect.ismodule(getattr(found, one))]
        parts = [_described(f"{path}.{one}", getattr(found, one)) for one in names]
        return "\n".join([_directive("py:module", path, docstring(found)), *parts])
    return _described(path, found)


def _described(path: str, found: object) -> str:
    if not isinstance(found, type):
        if callable(found):
            return _directive("py:function", path + signature_text(found), _overloads(path, found) + docstring(found))
        if hasattr(found, "__args__"):
            return _directive("py:type", path, f"One of {_clean(str(found))}.")
        return _directive("py:data", path, "")
    members = [text for member in _members(found) if (text := _member(found, member))]
    kind = "py:exception" if _is_error(found) else "py:class"
    body = "\n".join([docstring(found), _fields(found), *members])
    return _directive(kind, path + signature_text(found), body)


def _overloads(path: str, found: Callable[..., object]) -> str:
    """The ways to call a function that has several, as types see them."""
    ways = [f"{path}{signature_text(one)}" for one in get_overloads(inspect.unwrap(found))]
    return wrapped("\n".join(ways), "python") + "\n" if ways else ""


def _members(kind: type) -> list[str]:
    known = [name for base in reversed(kind.__mro__) if base.__module__.startswith("vtac") for name in vars(base)]
    shown = [name for name in dict.fromkeys(known) if not name.startswith("_") and name not in _INHERITED]
    return [*(["__call__"] if "__call__" in known else []), *shown]


def _member(kind: type, name: str) -> str:
    found = cast(object, inspect.getattr_static(kind, name))
    if isinstance(found, property | cached_property):
        return _directive("py:property", name, docstring(cast(object, found)))
    if isinstance(found, classmethod | staticmethod):
        bound: object = getattr(kind, name)
        return _directive("py:method", name + signature_text(bound), docstring(bound), ":classmethod:")
    if inspect.isfunction(found):
        return _directive("py:method", name + signature_text(found, bound=True), docstring(found))
    return ""


def _fields(kind: type) -> str:
    if not is_dataclass(kind):
        return ""
    rows = [(f"`{one.name}`", _clean(str(one.type)).join("``")) for one in fields(kind) if not one.name.startswith("_")]
    return table(("field", "type"), rows)


def _directive(kind: str, head: str, body: str, *options: str) -> str:
    longest = max((len(found) for found in re.findall(r":{3,}|`{3,}", body)), default=2)
    marks = ":" * (longest + 1)
    return "\n".join([f"{marks}{{{kind}}} {head}", *options, "", body.strip("\n"), marks, ""])


def signature_text(found: object, *, bound: bool = False) -> str:
    """The arguments and what is returned, without the names of modules; `bound` leaves out the first argument."""
    if not callable(found) or (isinstance(found, type) and _is_error(found)):
        return ""
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return ""
    parameters = list(signature.parameters.values())
    own = [one for one in parameters[1 if bound else 0 :] if not one.name.startswith("_")]
    spelled = [_parameter(one) for one in own]
    for kind, mark in ((inspect.Parameter.KEYWORD_ONLY, "*"),):
        first = next((at for at, one in enumerate(own) if one.kind is kind), None)
        has_star = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in own)
        if first is not None and not has_star:
            spelled.insert(first, mark)
    returns = signature.return_annotation
    gives = "" if returns is inspect.Signature.empty or isinstance(found, type) else f" -> {_clean(str(returns))}"
    return f"({', '.join(spelled)}){gives}"


def _parameter(one: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = "" if one.annotation is inspect.Parameter.empty else f": {_clean(_spelled(one.annotation))}"
    if one.default is inspect.Parameter.empty:
        return f"{stars}{one.name}{kind}"
    default = repr(one.default)
    return f"{stars}{one.name}{kind} = {'...' if '<' in default else default}"


def _spelled(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _clean(text: str) -> str:
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text.strip("'")).replace("typing.", "")
