"""What a target is: one record that compile, run, schedule, evaluate and the tools ask.

A record is light: what needs more than the record itself is a function that imports it when
it is called. `vtac.targets.registry` finds records by name; one that is installed with another
package is found through the entry point group `vtac.targets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, runtime_checkable

from vtac.errors import CompileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp
    from xdsl.ir import Operation
    from xdsl.utils.target import Target as Format

    from vtac.dialects.schedule.payload import ForOp
    from vtac.dialects.schedule.script import ScriptOp
    from vtac.pipelines import Pipeline

    Arrays = tuple[NDArray[np.generic], ...]

_P = ParamSpec("_P")
_H_co = TypeVar("_H_co", covariant=True)


class Parameter(Protocol):
    """An argument or a result of a program: its name, dtype as numpy spells it, and shape."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


class _Program(Protocol[_P]):
    @property
    def arguments(self) -> Sequence[Parameter]:
        """What a caller passes, in order."""
        ...

    @property
    def results(self) -> Sequence[Parameter]:
        """What a call returns, in order."""
        ...

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> NDArray[np.generic] | Arrays:
        """Run on numpy arrays; one result is an array, several are a tuple."""
        ...

    def save(self, directory: str | Path) -> None:
        """Write it where the target's `load` reads it back."""
        ...


TargetProgram: TypeAlias = _Program[...]
"""What compiling gives, whichever the target. A call takes arrays, and what else the target's programs take."""


@runtime_checkable
class KeepsSource(Protocol):
    """A program that can say what it was compiled from."""

    def keep_source(self, module: ModuleOp) -> None:
        """Remember a module with hardware and schedule settled, which nobody changes."""
        ...


class HasScript(Protocol):
    """A schedule, such as a `vtac.Schedule`: `script` is its IR, `str()` the text of that."""

    @property
    def script(self) -> ScriptOp: ...


@dataclass(frozen=True)
class Hardware(Generic[_H_co]):
    """How a target's hardware is described: by a record, which a module may state as an attribute.

    `record` is the record's class and `noun` what messages call it; `required` says what a caller
    must give, as a sentence. `parse` makes a record of what the option `--<option>` of the command line says, `read`
    and `write` are the module's attribute `attribute`. `difference` says in two pieces how a
    module's record, and a contradicting one, go on after "the module's <attribute>" and "the
    <noun> given". `default` is assumed, and written, where none is stated.
    """

    record: type[_H_co]
    noun: str
    required: str
    attribute: str
    parse: Callable[[str], _H_co]
    read: Callable[[ModuleOp], _H_co | None]
    write: Callable[[ModuleOp, _H_co], None]
    difference: Callable[[_H_co, _H_co], tuple[str, str]]
    default: Callable[[], _H_co] | None = None
    option: str = "config"


@dataclass(frozen=True)
class Mismatch:
    """Why a loop is not an intrinsic, and what to do about it."""

    found: str
    remedy: str = "change the schedule or the program to match"


@dataclass(frozen=True)
class Reach:
    """What a target's programs can address: bytes of all buffers together, and items of each; `source` says why."""

    source: str
    nbytes: int | None = None
    items: int | None = None


@dataclass(frozen=True)
class Intrinsic:
    """What `tensorize` can name: `match` gives a text or a `Mismatch` for a loop that is not it, or anything else.

    The module around the loop states the hardware. One with `members` is a family: these are the names that there are,
    and `match_member` takes one of them first.
    """

    name: str
    match: Callable[[ForOp, ModuleOp], object] | None = None
    members: tuple[str, ...] = ()
    match_member: Callable[[str, ForOp, ModuleOp], object] | None = None

    def named(self, name: str) -> Callable[[ForOp, ModuleOp], object] | None:
        """What matches a loop under a name; None where this has not that name."""
        if self.match_member is not None:
            return partial(self.match_member, name) if name in self.members else None
        return self.match if name == self.name else None


@dataclass(frozen=True)
class Level:
    """A level of a target's own dialect that can be executed.

    `find` gives an operation of the level in a function, the function itself when it belongs to
    the level as a whole, or None. `evaluate` executes a module on numpy arrays, which it leaves
    as they are; several results are a tuple. `between` are the phases of the target's pipeline
    after which a function is in the dialect in part, and cannot be executed.
    """

    name: str
    find: Callable[[FuncOp], Operation | None]
    evaluate: Callable[[ModuleOp, Arrays], NDArray[np.generic] | Arrays]
    between: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """An option of `vtac.compile` that a target understands."""

    name: str
    default: object
    meaning: str


@dataclass(frozen=True)
class Target:
    """A machine that programs are compiled for.

    `name` is what callers write, `title` what messages call its programs by. `pipeline` lowers a
    module with a schedule, `schedules` gives one for each of its functions that has none (its
    hardware is settled then), and `build` makes a program of a lowered module. A target that does
    more than that with a whole program has a `compile` of its own, which gets the module and the
    `options` by name. `load` reads what a program's `save` wrote, a directory in which a
    file of `saved_as` lies. `takes_apart` gives the pipeline of a module that is cut into functions which are scheduled
    each for itself, and None for one that is lowered as it is. With `inlines_calls` its programs may be written as
    functions that call others, which are computed where they are called. `reach` is what its programs can address,
    where that is bounded.

    `scopes` are the memories that its schedules place buffers in, each with its meaning,
    `intrinsics` what they tensorize to, `directives` the modules in which directives of its own
    have their rewrites, imported when a script holds one; `levels` are what `vtac.evaluate.evaluate`
    executes, `formats` what `vtac-opt -t` prints.
    """

    name: str
    title: str
    hardware: Hardware[object]
    pipeline: Callable[[], Pipeline]
    schedules: Callable[[ModuleOp], Sequence[HasScript]]
    build: Callable[[ModuleOp], TargetProgram]
    load: Callable[[Path], TargetProgram]
    saved_as: tuple[str, ...]
    compile: Callable[..., TargetProgram] | None = None
    takes_apart: Callable[[ModuleOp], Pipeline | None] | None = None
    inlines_calls: bool = False
    reach: Reach | None = None
    options: tuple[Option, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=dict[str, str])
    intrinsics: tuple[Intrinsic, ...] = ()
    directives: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    formats: Mapping[str, Callable[[], type[Format]]] = field(default_factory=dict[str, "Callable[[], type[Format]]"])

    def complete(self, options: Mapping[str, object]) -> dict[str, object]:
        """All options by name, those not given with their defaults. Raises `CompileError` for one it has not."""
        known = {option.name: option.default for option in self.options}
        for name in options:
            if name not in known:
                has = f"its options are {', '.join(known)}" if known else "it has none"
                raise CompileError(
                    f"target '{self.name}' has no option '{name}'; {has}; config says what hardware it is for: "
                    f"{self.hardware.required}"
                )
        return known | dict(options)

    def has_saved(self, directory: Path) -> bool:
        """Whether a directory holds a saved program of this target."""
        return any((directory / name).is_file() for name in self.saved_as)
