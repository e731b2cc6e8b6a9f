"""Directives for GPU schedules: contractions as products, staged buffers, software pipelining, the order of blocks."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, StringAttr, UnitAttr, i64
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.script import BLOCK, I64, LOOP, DirectiveOp


@irdl_op_definition
class TransformLayoutOp(DirectiveOp):
    """Permute the dimensions of the buffer that a block writes: new dimension i is old dimension order[i]."""

    name = "schedule.transform_layout"
    block = operand_def(BLOCK)
    order = prop_def(DenseArrayBase.constr(i64))
    assembly_format = "$block `,` $order attr-dict"

    def verify_(self) -> None:
        order = list(self.order.get_values())
        if sorted(order) != list(range(len(order))):
            raise VerifyException(f"{order} is no permutation of the dimensions 0 to {len(order) - 1}")


@irdl_op_definition
class StorageAlignOp(DirectiveOp):
    """Make the stride of a dimension of a block's output `offset` modulo `factor`, in elements.

    An odd multiple of 8 halves as the row pitch keeps rows of a tile in different banks.
    """

    name = "schedule.storage_align"
    block = operand_def(BLOCK)
    dimension = prop_def(I64)
    factor = prop_def(I64)
    offset = prop_def(I64)
    assembly_format = "$block `,` $dimension `factor` $factor `offset` $offset attr-dict"

    def verify_(self) -> None:
        factor, offset = self.factor.value.data, self.offset.value.data
        if factor < 1 or not 0 <= offset < factor:
            raise VerifyException(f"factor {factor} and offset {offset}; 0 <= offset < factor is required")


@irdl_op_definition
class SwizzleOp(DirectiveOp):
    """Let chunks of 16 bytes change places within each `bytes` of a row of a block's output, row by row otherwise.

    Chunk c of row r lies where chunk c xor r would, both modulo the chunks in `bytes`: eight rows at one column meet
    all banks. Rows of 64 bytes or less share an order. With `panels` wider rows are cut into panels of `bytes`,
    one after the other, as `wgmma` reads them; of 16 bytes, one chunk, nothing changes places but the panels.
    """

    name = "schedule.swizzle"
    block = operand_def(BLOCK)
    bytes = prop_def(I64)
    panels = opt_prop_def(UnitAttr)
    assembly_format = "$block `bytes` $bytes (`panels` $panels^)? attr-dict"

    def verify_(self) -> None:
        found = self.bytes.value.data
        if found not in (16, 32, 64, 128):
            raise VerifyException(f"a swizzle of {found} bytes; 32, 64 or 128 are possible, and 16 with panels")
        if found == 16 and self.panels is None:
            raise VerifyException("a swizzle of 16 bytes, one chunk: with `panels` rows are cut into columns of chunks")


@irdl_op_definition
class PipelineOp(DirectiveOp):
    """Run a loop's copies to shared memory `stages - 1` iterations ahead, in the background.

    By threads, with `async` "cp.async" or without it; or, with "tma", as bulk copies that one thread asks for and
    mbarriers complete: of copies that are tensorized as "tma.load".
    """

    name = "schedule.pipeline"
    loop = operand_def(LOOP)
    stages = prop_def(I64)
    async_ = opt_prop_def(StringAttr, prop_name="async")
    assembly_format = "$loop `stages` $stages (`async` $async^)? attr-dict"

    def verify_(self) -> None:
        if self.stages.value.data < 2:
            raise VerifyException(f"{self.stages.value.data} stages; a pipeline has at least 2")
        if self.async_ is not None and self.async_.data not in ("cp.async", "tma"):
            raise VerifyException(f'async is "{self.async_.data}"; "cp.async" or "tma" is possible')


@irdl_op_definition
class SpecializeOp(DirectiveOp):
    """Have warps of their own, `producers`, ask for a loop's bulk copies, and `consumers`, all others, use them."""

    name = "schedule.specialize"
    loop = operand_def(LOOP)
    producers = prop_def(I64)
    consumers = prop_def(I64)
    assembly_format = "$loop `producers` $producers `consumers` $consumers attr-dict"

    def verify_(self) -> None:
        producers, consumers = self.producers.value.data, self.consumers.value.data
        if producers < 1 or consumers < 1:
            raise VerifyException(
                f"{producers} producers and {consumers} consumers; at least one warp of each is required"
            )


@irdl_op_definition
class ClusterOp(DirectiveOp):
    """Let the blocks of a loop be a cluster: neighbours along the blockIdx that the loop around is bound to.

    The loop around runs over the clusters, and over all of their blocks afterwards.
    """

    name = "schedule.cluster"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


@irdl_op_definition
class RasterizeOp(DirectiveOp):
    """Let blocks of the grid take their tiles in groups of `group` rows, column by column in a group."""

    name = "schedule.rasterize"
    rows = operand_def(LOOP)
    columns = operand_def(LOOP)
    group = prop_def(I64)
    assembly_format = "$rows `,` $columns `group` $group attr-dict"

    def verify_(self) -> None:
        if self.group.value.data < 1:
            raise VerifyException(f"groups of {self.group.value.data} rows; at least 1 is required")


@irdl_op_definition
class ImplicitGemmOp(DirectiveOp):
    """Compute a contraction as one matrix product of m x n x k, over copies that are multiples of `tile`.

    `order` are the block's iteration variables, outermost first: rows, columns and k walk theirs so. Without it rows
    and columns go by the dimensions of the output, k as the block reduces.
    """

    name = "schedule.implicit_gemm"
    block = operand_def(BLOCK)
    tile = prop_def(DenseArrayBase.constr(i64))
    order = opt_prop_def(DenseArrayBase.constr(i64))
    a = result_def(BLOCK)
    b = result_def(BLOCK)
    store = result_def(BLOCK)
    assembly_format = "$block `,` $tile (`order` $order^)? attr-dict"

    def verify_(self) -> None:
        tile = list(self.tile.get_values())
        if len(tile) != 3 or any(size < 1 for size in tile):
            raise VerifyException(f"tile {tile}; three positive sizes, m, n and k, are required")
        order = list(self.order.get_values()) if self.order is not None else []
        if sorted(order) != list(range(len(order))):
            raise VerifyException(f"order {order} is no permutation of the variables 0 to {len(order) - 1}")


@irdl_op_definition
class RfactorOp(DirectiveOp):
    """Reduce the iterations of a reduction loop into elements of their own, and these into the result."""

    name = "schedule.rfactor"
    block = operand_def(BLOCK)
    loop = operand_def(LOOP)
    parts = result_def(BLOCK)
    assembly_format = "$block `,` $loop attr-dict"


@irdl_op_definition
class FuseVariablesOp(DirectiveOp):
    """Let one iteration variable of a block run over each group of its variables, outermost first."""

    name = "schedule.fuse_variables"
    block = operand_def(BLOCK)
    groups = prop_def(ArrayAttr[DenseArrayBase])
    assembly_format = "$block `,` $groups attr-dict"

    def verify_(self) -> None:
        if not all(group.elt_type == i64 and len(group) for group in self.groups):
            raise VerifyException("groups are arrays of i64 that are not empty")
