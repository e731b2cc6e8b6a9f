"""Our dialects as IRDL, which MLIR loads at run time: `mlir-opt --irdl-file=vtac.irdl.mlir`.

IRDL says less than our definitions: an optional attribute is left out, an attribute that holds
Python data has one parameter per field, and what cannot be said is `irdl.any`. It also says more:
all operands in one variadic group have one type. Types, attributes and operations share one
namespace there, so that a type that bears an operation's name has a `!` before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import get_args, get_type_hints

from xdsl.builder import Builder
from xdsl.dialects import irdl
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    ArrayAttr,
    ArrayOfConstraint,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Data, Dialect, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    AllOf,
    AnyOf,
    AttrConstraint,
    BaseAttr,
    EqAttrConstraint,
    IRDLOperation,
    MessageConstraint,
    OperandDef,
    OptionalDef,
    ParamAttrConstraint,
    RangeConstraint,
    RangeLengthConstraint,
    RangeOf,
    ResultDef,
    VarConstraint,
    VariadicDef,
)
from xdsl.rewriter import InsertPoint

from vtac.rewriting.edits import append

_BUILTIN: Mapping[type[Attribute], str] = MappingProxyType(
    {
        AffineMapAttr: "#builtin.affine_map",
        AffineSetAttr: "#builtin.integer_set",
        ArrayAttr: "#builtin.array",
        DenseArrayBase: "#builtin.dense_array",
        FloatAttr: "#builtin.float",
        IntegerAttr: "#builtin.integer",
        MemRefType: "!builtin.memref",
        StringAttr: "#builtin.string",
        SymbolRefAttr: "#builtin.symbol_ref",
        TensorType: "!builtin.tensor",
        UnitAttr: "#builtin.unit",
    }
)
"""xDSL's builtin types and attributes, and what MLIR calls them."""

_PYTHON: Mapping[object, type[Attribute]] = MappingProxyType({int: IntegerAttr, str: StringAttr})
"""What stands for a field of Python data."""


def irdl_module(dialects: Sequence[Dialect]) -> ModuleOp:
    """Definitions of dialects, one `irdl.dialect` each."""
    return ModuleOp([_Exporter(dialect).definition() for dialect in dialects])


class _Exporter:
    """Writes the definition of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        taken = {op.name for op in dialect.operations}
        self._symbols = {
            attribute: f"{'!' if attribute.name in taken else ''}{Dialect.split_name(attribute.name)[1]}"
            for attribute in dialect.attributes
        }

    def definition(self) -> irdl.DialectOp:
        block = Block([self._attribute(attribute) for attribute in self._dialect.attributes])
        for operation in self._dialect.operations:
            if issubclass(operation, IRDLOperation):
                append(self._operation(operation), block)
        return irdl.DialectOp(self._dialect.name, Region(block))

    def _attribute(self, attribute: type[Attribute]) -> irdl.TypeOp | irdl.AttributeOp:
        body = _Body(self._dialect.name, self._symbols)
        parameters = body.parameters(attribute)
        body.insert(irdl.ParametersOp(list(parameters.values()), _names(parameters)))
        kind = irdl.TypeOp if issubclass(attribute, TypeAttribute) else irdl.AttributeOp
        return kind(self._symbols[attribute], Region(body.block))

    def _operation(self, operation: type[IRDLOperation]) -> irdl.OperationOp:
        body = _Body(self._dialect.name, self._symbols)
        found = operation.get_irdl_definition()
        if found.operands:
            names, values, kinds = body.values(found.operands)
            body.insert(irdl.OperandsOp(values, kinds, names))
        if found.results:
            names, values, kinds = body.values(found.results)
            body.insert(irdl.ResultsOp(values, kinds, names))
        defined = [*found.properties.items(), *found.attributes.items()]
        required = {name: body.constraint(one.constr) for name, one in defined if not isinstance(one, OptionalDef)}
        if required:
            body.insert(irdl.AttributesOp(list(required.values()), _names(required)))
        if found.regions:
            regions = [body.insert(_region()).results[0] for _ in found.regions]
            body.insert(irdl.RegionsOp(regions, _names(name for name, _ in found.regions)))
        return irdl.OperationOp(Dialect.split_name(operation.name)[1], Region(body.block))


class _Body:
    """The body of one definition; each use of a constraint is one of its own, except of a variable."""

    def __init__(self, dialect: str, symbols: dict[type[Attribute], str]) -> None:
        self.block = Block()
        self._builder = Builder(InsertPoint.at_end(self.block))
        self._dialect = dialect
        self._symbols = symbols
        self._variables: dict[str, SSAValue] = {}

    def insert(self, operation: IRDLOperation) -> IRDLOperation:
        return self._builder.insert(operation)

    def parameters(self, attribute: type[Attribute]) -> dict[str, SSAValue]:
        """The constraints on an attribute's parameters, by name."""
        if issubclass(attribute, ParametrizedAttribute):
            return {name: self.constraint(one.constr) for name, one in attribute.get_irdl_definition().parameters}
        payload = _payload(attribute)
        if isinstance(payload, type) and issubclass(payload, Enum):
            return {"value": self._any_of([self._is(StringAttr(str(one.value))) for one in payload])}
        if isinstance(payload, type) and is_dataclass(payload):
            kinds = get_type_hints(payload)
            return {one.name: self._python(kinds[one.name]) for one in fields(payload)}
        return {"data": self._any()}

    def values(
        self, defined: Sequence[tuple[str, OperandDef | ResultDef]]
    ) -> tuple[ArrayAttr[StringAttr], list[SSAValue], irdl.VariadicityArrayAttr]:
        """Names, constraints and variadicities of operands or results."""
        kinds = ArrayAttr([_variadicity(one) for _, one in defined])
        values = [self._range(one.constr) for _, one in defined]
        return _names(name for name, _ in defined), values, irdl.VariadicityArrayAttr(kinds)

    def constraint(self, constraint: AttrConstraint) -> SSAValue:
        """A constraint; `irdl.any` where IRDL cannot say it."""
        match constraint:
            case VarConstraint():
                if constraint.name not in self._variables:
                    self._variables[constraint.name] = self.constraint(constraint.constraint)
                return self._variables[constraint.name]
            case EqAttrConstraint():
                return self._base(type(constraint.attr)) if self._is_own(constraint.attr) else self._is(constraint.attr)
            case BaseAttr():
                return self._base(constraint.attr)
            case ParamAttrConstraint():
                return self._base(constraint.base_attr)
            case SymbolNameConstraint():
                return self._base(StringAttr)
            case ArrayOfConstraint():
                return self._base(ArrayAttr)
            case MessageConstraint():
                return self.constraint(constraint.constr)
            case AnyOf():
                return self._any_of([self.constraint(one) for one in constraint.attr_constrs])
            case AllOf():
                parts = [self.constraint(one) for one in constraint.attr_constrs]
                return self.insert(irdl.AllOfOp(parts)).results[0]
            case _:
                return self._any()

    def _range(self, constraint: RangeConstraint) -> SSAValue:
        match constraint:
            case RangeLengthConstraint():
                return self._range(constraint.constraint)
            case RangeOf():
                return self.constraint(constraint.constr)
            case _:
                return self._any()

    def _python(self, kind: object) -> SSAValue:
        attribute = _PYTHON.get(kind)
        return self._any() if attribute is None else self._base(attribute)

    def _base(self, attribute: type[Attribute]) -> SSAValue:
        if attribute in self._symbols:
            path = SymbolRefAttr(self._dialect, [self._symbols[attribute]])
            return self.insert(irdl.BaseOp(path)).results[0]
        if attribute in _BUILTIN:
            return self.insert(irdl.BaseOp(_BUILTIN[attribute])).results[0]
        return self._any()

    def _is_own(self, attribute: Attribute) -> bool:
        return type(attribute) in self._symbols

    def _is(self, attribute: Attribute) -> SSAValue:
        return self.insert(irdl.IsOp(attribute)).results[0]

    def _any(self) -> SSAValue:
        return self.insert(irdl.AnyOp()).results[0]

    def _any_of(self, parts: Sequence[SSAValue]) -> SSAValue:
        return self.insert(irdl.AnyOfOp(parts)).results[0]


def _payload(attribute: type[Attribute]) -> object:
    """What a `Data` attribute holds: the argument of the first generic base that has one."""
    for base in attribute.__mro__:
        for generic in getattr(base, "__orig_bases__", ()):
            if issubclass(attribute, Data) and get_args(generic):
                return get_args(generic)[0]
    return None


def _names(names: Iterable[str]) -> ArrayAttr[StringAttr]:
    return ArrayAttr([StringAttr(name) for name in names])


def _variadicity(defined: object) -> irdl.VariadicityAttr:
    match defined:
        case OptionalDef():
            return irdl.VariadicityAttr.OPTIONAL
        case VariadicDef():
            return irdl.VariadicityAttr.VARIADIC
        case _:
            return irdl.VariadicityAttr.SINGLE


def _region() -> irdl.RegionOp:
    return irdl.RegionOp.create(result_types=[irdl.RegionType()])
