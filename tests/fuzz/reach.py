"""What cases reach: passes and directives that changed something, operations seen, refusals by their site.

All names come from registries and from the source, so that a pass, directive, operation or refusal that is new is
asked for at once. `watching` is entered in the process of a case, which ends with it: nothing is put back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from inspect import currentframe
from typing import TypeVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import ParseError, VerifyException

from fuzz.fingerprint import fingerprint
from fuzz.sites import refusal_sites, sites_above
from vtac.dialects import get_all_dialects
from vtac.dialects.schedule.loop_directives import TensorizeOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.dialects.vta.kernels import ALU_NAMES, AluOp
from vtac.errors import VtacError
from vtac.passes.directives.apply import apply_directive
from vtac.passes.directives.handles import Handles
from vtac.pipelines import Runner
from vtac.targets.registry import intrinsic_names
from vtac.universe import get_all_passes

_E = TypeVar("_E", bound=Exception)


def expected_reach() -> dict[str, tuple[str, ...]]:
    """Every name that a case may reach, by kind; what is reached is called `KIND NAME`.

    A pass `ran`, and as `pass` changed something; a directive was `applied`, and as `directive` changed something.
    """
    operations = [op for make in get_all_dialects().values() for op in make().operations]
    passes = tuple(sorted(get_all_passes()))
    directives = tuple(sorted(op.name for op in operations if issubclass(op, DirectiveOp)))
    return {
        "pass": passes,
        "ran": passes,
        "directive": directives,
        "applied": directives,
        "operation": tuple(sorted({op.name for op in operations} - set(directives))),
        "alu": ALU_NAMES,
        "intrinsic": intrinsic_names(),
        "refusal": tuple(dict.fromkeys(refusal_sites().values())),
    }


@contextmanager
def watching() -> Generator[set[str]]:
    """A set that fills with the names of what this process reaches, from now to its end."""
    reached: set[str] = set()
    _watch_passes(reached)
    _watch_directives(reached)
    for kind in (VtacError, VerifyException, ParseError):
        _watch_errors(kind, reached)
    yield reached


def _watch_passes(reached: set[str]) -> None:
    run_pass = Runner.run_pass

    def watched(self: Runner, current: ModulePass, module: ModuleOp) -> None:
        before = None if f"pass {current.name}" in reached else fingerprint(module)
        reached.add(f"ran {current.name}")
        run_pass(self, current, module)
        if before is not None and fingerprint(module) != before:
            reached.add(f"pass {current.name}")
        for op in module.walk():
            reached.add(f"operation {op.name}")
            if isinstance(op, AluOp):
                reached.add(f"alu {op.opcode.data}")

    Runner.run_pass = watched


def _watch_directives(reached: set[str]) -> None:
    def watched(directive: DirectiveOp, handles: Handles) -> None:
        before = None if f"directive {directive.name}" in reached else fingerprint(handles.function)
        apply_directive(directive, handles)
        reached.add(f"applied {directive.name}")
        if isinstance(directive, TensorizeOp):
            reached.add(f"intrinsic {directive.intrinsic.data}")
        if before is not None and fingerprint(handles.function) != before:
            reached.add(f"directive {directive.name}")

    for module in list(sys.modules.values()):
        if getattr(module, "apply_directive", None) is apply_directive and module.__name__ != __name__:
            module.__dict__["apply_directive"] = watched


def _watch_errors(kind: type[_E], reached: set[str]) -> None:
    made: Callable[..., None] = kind.__init__

    def watched(self: _E, *args: object, **named: object) -> None:
        made(self, *args, **named)
        reached.update(f"refusal {site}" for site in sites_above(currentframe()))

    kind.__init__ = watched


def reach_by_kind(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, dict[str, int]]]:
    """Cases by kind, name and target, given those per target and full name; what nothing reached is there too."""
    found: dict[str, dict[str, dict[str, int]]] = {
        kind: {name: {} for name in names} for kind, names in expected_reach().items()
    }
    for target, reached in counts.items():
        for full, count in reached.items():
            kind, _, name = full.partition(" ")
            found.setdefault(kind, {}).setdefault(name, {})[target] = count
    return found


def reach_tables(found: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """A table per kind, the least reached first; of refusals, how many sites were reached in each file."""
    lines: list[str] = []
    for kind, names in found.items():
        if kind == "refusal":
            lines += _refusals_by_file(names)
            continue
        reached = sum(bool(targets) for targets in names.values())
        lines.append(f"{kind}: {reached} of {len(names)} reached")
        for name, targets in sorted(names.items(), key=lambda item: (sum(item[1].values()), item[0])):
            where = ", ".join(f"{target} {count:,}" for target, count in targets.items())
            lines.append(f"  {sum(targets.values()):>7,} {name:<44} {where}".rstrip())
    return "\n".join(lines)


def _refusals_by_file(names: Mapping[str, Mapping[str, int]]) -> list[str]:
    files: dict[str, list[bool]] = {}
    for name, targets in names.items():
        files.setdefault(name.partition(":")[0], []).append(bool(targets))
    reached = sum(sum(flags) for flags in files.values())
    rows = sorted(files.items(), key=lambda item: (sum(item[1]) - len(item[1]), item[0]))
    return [
        f"refusal: {reached} of {len(names)} sites reached; by file, the most that are not first",
        *(f"  {sum(flags):>3} of {len(flags):>3} {file}" for file, flags in rows if not all(flags)),
    ]
