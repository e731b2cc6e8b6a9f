"""What is made out of parts is what xDSL's constructors make of them, field by field, for every kind made so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region
from xdsl.ir.affine import AffineMap

import vtac
from vtac.dialects.making import make_attribute, make_body, make_op
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.pipelines import Instrumentation, Runner, Step
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MADE = {
    *("schedule.for", "schedule.block", "vta.stage", "vta.dep_push", "vta.dep_pop", "vta.gemm", "vta.alu"),
    *("vta.load_2d", "vta.store_2d", "scf.for", "scf.yield", "affine.apply", "arith.constant", "memref.alloc"),
    "linalg.yield",
}
"""The kinds that programs are full of."""


class Remade(Instrumentation):
    """Makes each operation of each phase anew, in both ways, and compares what came of it."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase":
            self.remake(module)

    def remake(self, module: ModuleOp) -> None:
        for op in list(module.walk()):
            self.kinds.add(op.name)
            assert_made_alike(op)


def assert_made_alike(op: Operation) -> None:
    """Compare an operation of the same parts in both ways; both leave their operands again."""
    types = [[argument.type for argument in region.block.args] for region in op.regions]
    results = [result.type for result in op.results]
    ours = make_op(
        type(op),
        operands=op.operands,
        result_types=results,
        location=op.location,
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=[make_body(*one) for one in types],
    )
    theirs = type(op).create(
        operands=op.operands,
        result_types=results,
        location=op.location,
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=[Region(Block(arg_types=one)) for one in types],
    )
    names = names_in(theirs)
    assert names_in(ours) <= names
    assert fields(ours, names) == fields(theirs, names), op.name
    for made in (ours, theirs):
        made.operands = ()


def fields(op: Operation, names: Iterable[str]) -> dict[str, object]:
    """All that an operation holds, what its class holds for it too, in terms that two operations can share."""
    own = [use for operand in op.operands for use in operand.uses if use.operation is op]
    return {
        "kinds": {name: type(getattr(op, name)) for name in names},
        "successors": list(op.successors),
        "operands": list(op.operands),
        "uses": sorted(use.index for use in own),
        "results": [(type(one), one.type, one.index, one.op is op, names_in(one)) for one in op.results],
        "properties": op.properties,
        "attributes": op.attributes,
        "location": op.location,
        "parent": op.parent,
        "regions": [region_fields(region, op) for region in op.regions],
    }


def region_fields(region: Region, op: Operation) -> object:
    """All that a region of one empty block holds."""
    block = region.block
    arguments = [(one.type, one.index, one.block is block, one.location, names_in(one)) for one in block.args]
    return (region.parent is op, block.parent is region, list(block.ops), arguments, names_in(region), names_in(block))


def names_in(one: object) -> frozenset[str]:
    """The fields that are set."""
    slots = {name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())}
    return frozenset(name for name in slots | set(getattr(one, "__dict__", ())) if hasattr(one, name))


def test_operations_of_programs_are_made_as_xdsl_makes_them() -> None:
    remade = Remade()
    for name in ("vta_vadd", "vta_matmul"):
        module = vtac.parse(EXAMPLES / f"{name}.mlir")
        remade.remake(module)
        Runner(make_context(), (remade,)).run_phases(VTA_PIPELINE.phases, module)
    assert sorted(MADE - remade.kinds) == []


def test_an_attribute_is_made_as_xdsl_makes_it() -> None:
    theirs = AccessAttr.get(AffineMap.identity(2))
    ours = make_attribute(AccessAttr, {"map": theirs.map, "pad": theirs.pad})
    built = AccessAttr(theirs.map, theirs.pad)
    assert ours == built
    assert (hash(ours), names_in(ours), str(ours)) == (hash(built), names_in(built), str(built))
