"""Operations of xDSL's with more syntax, other rules or fewer required properties, still of xDSL's class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from inspect import getclosurevars
from typing import TypeVar, cast

from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, OptPropertyDef, PropertyDef, irdl_to_attr_constraint
from xdsl.irdl.operations import get_accessors_from_op_def

Kind = TypeVar("Kind", bound=type[IRDLOperation])


def redefined(
    assembly_format: str | None = None,
    optional: Sequence[str] = (),
    properties: Mapping[str, object] | None = None,
    added: Mapping[str, object] | None = None,
) -> Callable[[Kind], Kind]:
    """Decorates a class whose base is an operation of xDSL's: its definition is the base's but for what is given.

    Properties that are `optional` may be left out; `properties` gives others a constraint, such as a type, `added` are
    more that may be left out. A `verify_`
    of the class takes the place of the base's own rule, a `parse` and `print` of the class that of its syntax, unless
    there is an `assembly_format`.
    """

    def define(kind: Kind) -> Kind:
        found = kind.get_irdl_definition()
        changed: dict[str, PropertyDef] = {name: OptPropertyDef(found.properties[name].constr) for name in optional}
        for name, wanted in (properties or {}).items():
            changed[name] = PropertyDef(irdl_to_attr_constraint(cast("type[Attribute]", wanted)))
        for name, wanted in (added or {}).items():
            changed[name] = OptPropertyDef(irdl_to_attr_constraint(cast("type[Attribute]", wanted)))
        definition = replace(found, assembly_format=assembly_format, properties={**found.properties, **changed})
        for name, value in get_accessors_from_op_def(definition, _own_rule(kind)).items():
            setattr(kind, name, value)
        return kind

    return define


def _own_rule(kind: type[IRDLOperation]) -> Callable[..., None] | None:
    """The rule that a class adds to its definition: its own, else its base's, which xDSL keeps in a closure."""
    found: object = vars(kind).get("verify_") or getclosurevars(kind.verify_).nonlocals.get("custom_verify")
    return cast("Callable[..., None] | None", found)
