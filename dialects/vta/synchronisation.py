"""Stages, dependency tokens and the final synchronisation."""

from __future__ import annotations

from typing import Literal

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.traits import MemoryWriteEffect, NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frequent import text_attribute
from vtac.dialects.making import make_body, make_op, only_region, read_directly

Stage = Literal["load", "compute", "store"]
STAGES: tuple[Stage, ...] = ("load", "compute", "store")
"""The three units in queue order: each shares token queues with its neighbours."""


def _verify_stage(name: str) -> None:
    if name not in STAGES:
        raise VerifyException(f"unknown stage '{name}'; the stages are {', '.join(STAGES)}")


@irdl_op_definition
class StageOp(IRDLOperation):
    """Operations of one unit that belong together: tokens go around, not between, them."""

    name = "vta.stage"

    stage = prop_def(StringAttr)
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())
    assembly_format = "$stage attr-dict-with-keyword $body"

    @staticmethod
    def get(stage: Stage) -> StageOp:
        return make_op(StageOp, properties={"stage": text_attribute(stage)}, regions=[make_body()])

    def verify_(self) -> None:
        _verify_stage(self.stage.data)


read_directly(StageOp, body=only_region)


class _TokenOp(IRDLOperation):
    """Base of push and pop: the producing and the consuming stage are neighbours."""

    source = prop_def(StringAttr)
    target = prop_def(StringAttr)
    traits = traits_def(MemoryWriteEffect())

    def verify_(self) -> None:
        _verify_stage(self.source.data)
        _verify_stage(self.target.data)
        if {self.source.data, self.target.data} not in ({"load", "compute"}, {"compute", "store"}):
            raise VerifyException(
                f"no token queue from {self.source.data} to {self.target.data}: queues join load with compute "
                "and compute with store"
            )


@irdl_op_definition
class DepPushOp(_TokenOp):
    """After its last instruction, stage `source` puts a token in the queue to `target`."""

    name = "vta.dep_push"
    assembly_format = "$source `,` $target attr-dict"

    @staticmethod
    def get(source: str, target: str) -> DepPushOp:
        return make_op(DepPushOp, properties={"source": text_attribute(source), "target": text_attribute(target)})


@irdl_op_definition
class DepPopOp(_TokenOp):
    """Before its next instruction, stage `target` takes a token from the queue of `source`."""

    name = "vta.dep_pop"
    assembly_format = "$source `,` $target attr-dict"

    @staticmethod
    def get(source: str, target: str) -> DepPopOp:
        return make_op(DepPopOp, properties={"source": text_attribute(source), "target": text_attribute(target)})


@irdl_op_definition
class SyncOp(IRDLOperation):
    """Wait until every unit is done, and finish.

    With `dataflow`, the program up to here has no token operations: the stream builder orders
    each instruction after those whose tiles or DRAM pages it needs, and after nothing else.
    """

    name = "vta.sync"
    dataflow = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "(`dataflow` $dataflow^)? attr-dict"

    @staticmethod
    def get(*, dataflow: bool = False) -> SyncOp:
        return make_op(SyncOp, properties={"dataflow": UnitAttr()} if dataflow else {})
