"""Apply one directive of a script to the payload."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from vtac.dialects.schedule import directives as ops
from vtac.dialects.schedule import gpu_directives as gpu
from vtac.dialects.schedule.directives import DirectiveOp
from vtac.passes.directives.alu import alu
from vtac.passes.directives.annotate import annotate
from vtac.passes.directives.bind import bind
from vtac.passes.directives.cache_read import cache_read
from vtac.passes.directives.cache_write import cache_write
from vtac.passes.directives.compute_at import compute_at
from vtac.passes.directives.compute_inline import compute_inline
from vtac.passes.directives.decompose_reduction import decompose_reduction
from vtac.passes.directives.dma_copy import dma_copy
from vtac.passes.directives.double_buffer import double_buffer
from vtac.passes.directives.fuse import fuse
from vtac.passes.directives.fuse_variables import fuse_variables
from vtac.passes.directives.handles import Handles
from vtac.passes.directives.implicit_gemm import implicit_gemm
from vtac.passes.directives.lookup import get_block, get_buffer, get_loop, get_loops
from vtac.passes.directives.pipeline import pipeline
from vtac.passes.directives.rasterize import rasterize
from vtac.passes.directives.reorder import reorder
from vtac.passes.directives.reverse_compute_at import reverse_compute_at
from vtac.passes.directives.rotate import rotate
from vtac.passes.directives.set_scope import set_scope
from vtac.passes.directives.skip_padding import skip_padding
from vtac.passes.directives.split import split
from vtac.passes.directives.storage_align import storage_align
from vtac.passes.directives.tensorize import tensorize
from vtac.passes.directives.transform_layout import transform_layout
from vtac.passes.directives.unroll import unroll
from vtac.passes.directives.vectorize import vectorize

_Rewrite = Callable[[DirectiveOp, Handles], None]
_D = TypeVar("_D", bound=DirectiveOp)
_REWRITES: dict[type[DirectiveOp], _Rewrite] = {}


def _rule(kind: type[_D], rewrite: Callable[[_D, Handles], None]) -> None:
    _REWRITES[kind] = cast(_Rewrite, rewrite)


_rule(ops.GetBlockOp, get_block)
_rule(ops.GetLoopsOp, get_loops)
_rule(ops.GetLoopOp, get_loop)
_rule(ops.GetBufferOp, get_buffer)
_rule(ops.SplitOp, split)
_rule(ops.FuseOp, fuse)
_rule(ops.ReorderOp, reorder)
_rule(ops.ComputeAtOp, compute_at)
_rule(ops.ReverseComputeAtOp, reverse_compute_at)
_rule(ops.ComputeInlineOp, compute_inline)
_rule(ops.CacheReadOp, cache_read)
_rule(ops.CacheWriteOp, cache_write)
_rule(ops.SetScopeOp, set_scope)
_rule(ops.BindOp, bind)
_rule(ops.VectorizeOp, vectorize)
_rule(ops.UnrollOp, unroll)
_rule(ops.DecomposeReductionOp, decompose_reduction)
_rule(ops.TensorizeOp, tensorize)
_rule(ops.DmaCopyOp, dma_copy)
_rule(ops.AluOp, alu)
_rule(ops.DoubleBufferOp, double_buffer)
_rule(ops.RotateOp, rotate)
_rule(ops.SkipPaddingOp, skip_padding)
_rule(ops.AnnotateOp, annotate)
_rule(gpu.TransformLayoutOp, transform_layout)
_rule(gpu.StorageAlignOp, storage_align)
_rule(gpu.PipelineOp, pipeline)
_rule(gpu.RasterizeOp, rasterize)
_rule(gpu.ImplicitGemmOp, implicit_gemm)
_rule(gpu.FuseVariablesOp, fuse_variables)


def apply_directive(directive: DirectiveOp, handles: Handles) -> None:
    """Rewrite the payload as the directive says, and define its result handles.

    Raises `ScheduleError` when the directive is illegal; the payload is then unchanged.
    """
    _REWRITES[type(directive)](directive, handles)
