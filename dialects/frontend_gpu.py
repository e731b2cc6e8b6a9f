"""How `scf.forall` is mapped to a GPU, `#gpu.block<x>`, which xDSL lacks: read and kept, and of no meaning here.

`FrontendGPU` is xDSL's gpu dialect with these attributes.
"""

from __future__ import annotations

from xdsl.dialects.gpu import GPU
from xdsl.ir import Attribute, Data, Dialect, Operation
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer


class MappingAttr(Data[str]):
    """What one of several loops runs on, along a dimension: `<x>`, `<linear_dim_0>`."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            return parser.parse_identifier()

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data)


@irdl_attr_definition
class BlockMappingAttr(MappingAttr):
    """Blocks of threads."""

    name = "gpu.block"


@irdl_attr_definition
class ThreadMappingAttr(MappingAttr):
    """Threads."""

    name = "gpu.thread"


@irdl_attr_definition
class WarpMappingAttr(MappingAttr):
    """Warps."""

    name = "gpu.warp"


@irdl_attr_definition
class WarpgroupMappingAttr(MappingAttr):
    """Warpgroups."""

    name = "gpu.warpgroup"


_OPERATIONS: list[type[Operation]] = list(GPU.operations)
_ADDED: tuple[type[Attribute], ...] = (BlockMappingAttr, ThreadMappingAttr, WarpMappingAttr, WarpgroupMappingAttr)
_ATTRIBUTES: list[type[Attribute]] = [*GPU.attributes, *_ADDED]
FrontendGPU = Dialect("gpu", _OPERATIONS, _ATTRIBUTES)
