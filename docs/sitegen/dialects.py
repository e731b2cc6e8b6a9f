"""The reference of dialects: operations, types and attributes with their rules, from the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import IRDLOperation, OptionalDef, ParametrizedAttribute, VariadicDef

from sitegen.text import code, docstring, fence, page, section, table, wrapped
from vtac.dialects import get_all_dialects
from vtac.dialects.declared import Declared, declared_attributes

_MOST_LINES = 14
_SEGMENTS = "operandSegmentSizes"

RATIONALE = {
    "schedule": "[The schedule dialect](../schedule-dialect.md) gives its purpose, phases, and what is not modelled.",
    "vta": "[The vta dialect](../vta-dialect.md) gives its purpose, tokens, padding and hardware rules.",
    "mma": "[The mma dialect](../mma-dialect.md) gives its purpose, what lies where, and what is not modelled.",
    "tma": "[The tma dialect](../tma-dialect.md) gives its purpose, tensor maps, how protocols are proven.",
    "wgmma": "[The wgmma dialect](../wgmma-dialect.md) gives its purpose, what lies where, how waits are proven.",
    "wmma": "[Tensor cores](../tensor-cores.md) gives its purpose and levels, and what is not modelled.",
    "packing": "[The packing dialect](../packing-dialect.md) gives its purpose, phases, and what is not modelled.",
    "arith": "xDSL's dialect; where vtac reads a program, with these operations more, as frontends write them.",
    "linalg": "xDSL's dialect; where vtac reads a program, with the named operations that frontends write.",
    "gpu": "xDSL's dialect; where vtac reads a program, with the mappings that `scf.forall` has.",
    **dict.fromkeys(
        ("affine", "bufferization", "memref", "scf", "tensor"),
        "xDSL's dialect; where vtac reads a program, with these operations in the form that MLIR prints.",
    ),
}


def dialect_pages(root: Path) -> dict[str, str]:
    """A page for each dialect, by file name."""
    return {f"dialect-{name}.md": _page(root, name, load()) for name, load in get_all_dialects().items()}


def own_operations(dialect: Dialect) -> list[type[Operation]]:
    """The operations that vtac defines: of xDSL's dialects those that it adds."""
    return [op for op in dialect.operations if op.__module__.startswith("vtac")]


def _page(root: Path, name: str, dialect: Dialect) -> str:
    operations = own_operations(dialect)
    attributes = [found for found in dialect.attributes if found.__module__.startswith("vtac")]
    declared = [
        one for one in declared_attributes().values() if one.dialect == name or (name == "schedule" and not one.dialect)
    ]
    package = import_module(operations[0].__module__.rpartition(".")[0]) if operations else None
    written = _written(root, name)
    intro = docstring(package) if package and package.__name__ != "vtac.dialects" else ""
    return page(
        f"Dialect {name}",
        RATIONALE.get(name, ""),
        intro,
        section(2, "Operations", *(_operation(op, written) for op in operations)) if operations else "",
        section(2, "Types and attributes", *map(_attribute, attributes)) if attributes else "",
        section(2, "Attributes on other operations", _declared(declared)) if declared else "",
    )


@cache
def _written(root: Path, dialect: str) -> tuple[str, ...]:
    """The lines of tests that may write a dialect's operations, without comments: its round trip first."""
    own = root / "tests" / "dialects" / dialect / "roundtrip.mlir"
    others = sorted((root / "tests").rglob("*.mlir"), key=lambda path: (path != own, path))
    written = (line for path in others for line in path.read_text().splitlines())
    return tuple(line for line in written if not line.lstrip().startswith("//"))


def without_example(root: Path) -> list[str]:
    """The operations that no test in MLIR text writes."""
    found = [
        (op.name, _written(root, name)) for name, load in get_all_dialects().items() for op in own_operations(load())
    ]
    return [name for name, lines in found if not _example(name, lines)]


def _operation(op: type[Operation], lines: Sequence[str]) -> str:
    if not issubclass(op, IRDLOperation):
        return section(3, op.name, docstring(op))
    definition = op.get_irdl_definition()
    rows = [(code(what), "operand", _count(declared)) for what, declared in definition.operands]
    rows += [(code(what), "property", _count(one)) for what, one in definition.properties.items() if what != _SEGMENTS]
    rows += [(code(what), "attribute", _count(one)) for what, one in definition.attributes.items()]
    rows += [(code(what), "result", _count(declared)) for what, declared in definition.results]
    rows += [(code(what), "region", _count(declared)) for what, declared in definition.regions]
    form: object = getattr(op, "assembly_format", None)
    written = f"Written {code(f'{op.name} {form}')}" if isinstance(form, str) else ""
    doc = docstring(op) if "__doc__" in op.__dict__ and op.__doc__ else ""
    return section(3, op.name, doc, written, _example(op.name, lines), table(("part", "kind", ""), rows), _rules(op))


def _example(name: str, lines: Sequence[str]) -> str:
    """The first place of a test file where an operation is written, so far as its brackets reach."""
    found = re.compile(rf"^\s*(?:%[\w:, %]+ = )?{re.escape(name)}\b")
    begin = next((at for at, line in enumerate(lines) if found.match(line)), None)
    if begin is None:
        return ""
    shown: list[str] = []
    depth = 0
    for line, following in zip(lines[begin : begin + _MOST_LINES], lines[begin + 1 :], strict=False):
        shown.append(line)
        depth += sum(line.count(one) for one in "{[(") - sum(line.count(one) for one in "}])")
        if depth <= 0 and not following.strip().startswith(
            ("ins(", "outs(", "->", ":", "where", "reads", "writes", "init", "(d0")
        ):
            break
    return fence(textwrap.dedent("\n".join(shown)), "mlir")


def _attribute(found: type[Attribute]) -> str:
    rows: list[tuple[str, str]] = []
    if issubclass(found, ParametrizedAttribute):
        rows = [(code(name), "") for name, _ in found.get_irdl_definition().parameters]
    return section(3, found.name, docstring(found), table(("parameter", ""), rows), _rules(found))


def _declared(found: list[Declared[object]]) -> str:
    rows = [
        (code(one.name), one.kind.wanted.rstrip(","), ", ".join(map(code, one.on)) or "anything", one.meaning)
        for one in found
    ]
    return table(("attribute", "holds", "stands on", "meaning"), rows)


def _count(declared: object) -> str:
    if isinstance(declared, OptionalDef):
        return "optional"
    return "any number" if isinstance(declared, VariadicDef) else ""


def _rules(found: type) -> str:
    """What the verifier says when it refuses, from its code; a value in the message stands in braces."""
    messages = [text for kind in found.__mro__ if kind.__module__.startswith("vtac") for text in _raised(kind)]
    unique = list(dict.fromkeys(messages))
    return "The verifier refuses:\n\n" + wrapped("\n".join(unique)) if unique else ""


def _raised(kind: type) -> list[str]:
    verify: object = kind.__dict__.get("verify_") or kind.__dict__.get("verify")
    if not inspect.isfunction(verify):
        return []
    tree = ast.parse(textwrap.dedent(inspect.getsource(verify)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    texts = [call.args[0] for call in calls if call.args]
    return [_spelled(text) for text in texts if isinstance(text, ast.Constant | ast.JoinedStr)]


def _spelled(text: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(text, ast.Constant):
        return str(text.value)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
        for part in text.values
        if isinstance(part, ast.Constant | ast.FormattedValue)
    )
