"""Whether a function already works on the VTA's tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ModuleOp, ShapedType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation, NamedOperation
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Attribute

from vtac.analysis.ir.target import config_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.script import ScriptOp
from vtac.partition.foreign_tiles import refuse_tiles_of_another


def needs_packing(module: ModuleOp) -> bool:
    """Whether a module's one function works on plain tensors, and no schedule is for that function itself.

    A function that works on tiles has only arguments and results whose last two dimensions
    are a tile of the configuration, and linalg operations without a name. Raises `CompileError`
    for one that works on the tiles of another configuration.
    """
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        return False
    function = functions[0]
    if any(isinstance(op, ScriptOp) and op.target.data == function.sym_name.data for op in module.ops):
        return False
    last = function.body.block.last_op
    kinds: Sequence[Attribute] = (*function.function_type.inputs, *function.function_type.outputs)
    if not isinstance(last, ReturnOp) or not last.operands or not all(isinstance(k, TensorType) for k in kinds):
        return False
    structured = [op for op in function.walk() if isinstance(op, LinalgStructuredOperation)]
    if not structured or any(isinstance(op, NamedOperation) and not isinstance(op, FillOp) for op in structured):
        return True
    config = config_of(module)
    if all(_is_tiled(tuple(cast(ShapedType, kind).get_shape()), config) for kind in kinds):
        return False
    refuse_tiles_of_another(function, structured, config)
    return True


def may_be_plain(module: ModuleOp) -> bool:
    """Whether tensors of a function that `needs_packing` takes for tiled may be plain images whose sizes are a tile's.

    Images in tiles have six dimensions; matrices in tiles have four, as plain images have.
    """
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        return False
    kinds = (*functions[0].function_type.inputs, *functions[0].function_type.outputs)
    return bool(functions[0].function_type.outputs) and all(
        isinstance(kind, TensorType) and len(cast(ShapedType, kind).get_shape()) <= 4 for kind in kinds
    )


def _is_tiled(shape: tuple[int, ...], config: VTAConfig) -> bool:
    tiles = (
        (config.batch, config.block_in),
        (config.batch, config.block_out),
        (config.block_out, config.block_in),
    )
    return len(shape) > 2 and shape[-2:] in tiles
