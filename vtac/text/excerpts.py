"""The source line that a message is about, with a caret under the place; and errors of the Python interface."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import currentframe, isfunction
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from vtac.errors import ScheduleError, VtacError
from vtac.files.reading import RECORD_BYTES, read_regular

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_P = ParamSpec("_P")
_R = TypeVar("_R")

_PLACE = re.compile(r"(?P<name>.*?):(?P<line>\d+)(?::(?P<column>\d+))?")
_WIDTH = 110
"""Characters of a source line that are shown, around the place."""
_MOST = 8
"""Places that are quoted of one error."""
_OURS: Final = str(Path(__file__).parents[1])
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})
_STRINGS: WeakKeyDictionary[ModuleOp, str] = WeakKeyDictionary()
"""The texts of modules that were read from strings, as long as the modules are there."""


def remember(module: ModuleOp, text: str) -> None:
    """A module came from this text, which is no file."""
    _STRINGS[module] = text


def remembered(module: ModuleOp) -> str | None:
    """The text that a module came from, where that is no file."""
    return _STRINGS.get(module)


def excerpt(place: str, texts: Mapping[str, str] = _NO_TEXTS) -> str:
    """The source line at `file:line:col` and a caret below it; empty where there is no such line.

    `texts` are sources that are no files, by name.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        return ""
    name, number = match["name"], int(match["line"])
    text = texts[name] if name in texts else _text_of(name)
    lines = text.splitlines()
    if not 0 < number <= len(lines) or not lines[number - 1].strip():
        return ""
    margin = f"{number:>5} | "
    column = int(match["column"] or 0)
    line, at = _window(lines[number - 1], column - 1)
    if not match["column"] or at >= len(line) + 1:
        return f"{margin}{line}"
    return f"{margin}{line}\n{' ' * (len(margin) - 2)}| {' ' * at}^"


def _window(line: str, at: int) -> tuple[str, int]:
    """A part of a line around a place, without characters that move the caret, and the place in it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in line)
    if len(shown) <= _WIDTH:
        return shown, at
    begin = max(0, min(at - _WIDTH // 2, len(shown) - _WIDTH))
    front, back = "..." if begin else "", "..." if begin + _WIDTH < len(shown) else ""
    return f"{front}{shown[begin : begin + _WIDTH]}{back}", at - begin + len(front)


def _text_of(name: str) -> str:
    try:
        return read_regular(Path(name), RECORD_BYTES).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""


def quote(error: VtacError, texts: Mapping[str, str] = _NO_TEXTS) -> None:
    """Put the places that an error is about among its notes, once each."""
    there: set[str] = set(getattr(error, "__notes__", ()))
    for place in dict.fromkeys(error.locations):
        found = excerpt(place, texts)
        note = f"{place}:\n{found}"
        if found and note not in there and len(there) < _MOST:
            there.add(note)
            error.add_note(note)
    if isinstance(error, ScheduleError) and error.nest and error.nest not in there:
        error.add_note(error.nest)


def pointed(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Errors of a function of the Python interface quote their places and show no frames of ours.

    `VTAC_DEBUG=1` in the environment leaves the frames.
    """

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except VtacError as error:
            quote(error, _texts_among((*args, *kwargs.values())))
            if os.environ.get("VTAC_DEBUG"):
                raise
            error.trace = error.trace or error.__traceback__
            raise error.with_traceback(None) from None

    return call


def pointed_methods(cls: type[_R]) -> type[_R]:
    """A class whose public methods, and whose making, are `pointed`."""
    for name, method in list(vars(cls).items()):
        if isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(cls, name, pointed(method))
    return cls


def caller() -> str:
    """`file:line` of the program that called a method of the Python interface; empty where this package called it.

    The interface is the folder of the module that asks.
    """
    frame: FrameType | None = currentframe()
    interface = "" if frame is None or frame.f_back is None else os.path.dirname(frame.f_back.f_code.co_filename)
    while frame is not None and _is_interface(frame.f_code.co_filename, interface):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename.startswith(_OURS):
        return ""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _is_interface(file: str, folder: str) -> bool:
    return file == __file__ or os.path.dirname(file) == folder


def _texts_among(values: tuple[object, ...]) -> Mapping[str, str]:
    """The text called `<string>` that a call was about."""
    for value in values:
        if isinstance(value, str) and "\n" in value:
            return {"<string>": value}
        text = _remembered(value)
        if text is not None:
            return {"<string>": text}
    return _NO_TEXTS


def _remembered(value: object) -> str | None:
    for module, text in _STRINGS.items():
        if module is value:
            return text
    return None
