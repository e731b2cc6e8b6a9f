"""What is imported when it is first needed: `import vtac` is enough for `vtac.evaluate.bfloat16`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from vtac.collection import seldom_collected

NOT_INSTALLED = "(not installed)"
"""What stands for the version of a package that is not installed."""


def load_module(name: str) -> ModuleType:
    """A module by its name, with all that it imports; no garbage is looked for meanwhile.

    For one that is loaded nothing is done to the collector, which may take long: packages ask here at each mention.
    """
    if name in sys.modules:
        return import_module(name)
    with seldom_collected():
        return import_module(name)


def submodules_of(package: str) -> Callable[[str], object]:
    """A package's `__getattr__`: what it does not hold is a module in it."""

    def load(name: str) -> object:
        module = f"{package}.{name}"
        if not name.startswith("_"):
            try:
                return load_module(module)
            except ModuleNotFoundError as error:
                if error.name != module:
                    raise
        raise AttributeError(f"module '{package}' has no attribute '{name}'")

    return load


def members_of(home: str) -> Callable[[str], object]:
    """A package's `__getattr__`: what it does not hold is in this module of it, or is another one."""
    submodule = submodules_of(home.rpartition(".")[0])

    def load(name: str) -> object:
        if not name.startswith("_"):
            module = load_module(home)
            if hasattr(module, name):
                return getattr(module, name)
        return submodule(name)

    return load


def installed_version(package: str) -> str:
    """The version of an installed package; what `python` finds beside no record of it has none to say."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


def pip_install(extra: str) -> str:
    """The command that adds an extra: pip takes it from what is installed, be it a checkout, else from the checkout."""
    if installed_version("vtac") == NOT_INSTALLED:
        return f"pip install --editable '{Path(__file__).resolve().parents[1]}[{extra}]'"
    return f"pip install 'vtac[{extra}]'"


def text_by(module: str, function: str) -> Callable[[object], str]:
    """A method that gives what a function of a module says of the object.

    The module may stand on a higher floor, as pictures of programs do: it is imported in the call.
    """

    def describe(self: object) -> str:
        write: Callable[[object], str] = getattr(import_module(module), function)
        return write(self)

    return describe


def written_by(module: str, function: str) -> Callable[[object, str | Path | None], str]:
    """A function of a module on a higher floor that says something of an object, and writes it to a path."""
    write: Callable[[object, str | Path | None], str] = getattr(import_module(module), function)
    return write
