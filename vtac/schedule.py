"""The scheduling API: the directives of the schedule dialect, one method each.

    schedule = vtac.Schedule(module)
    conv = schedule.get_block("res_conv")
    *spatial, ic, dy, dx, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=4)
    print(schedule)            # the script, as IR
    print(schedule.module)     # the payload so far

Each method records one directive and applies it at once. An illegal one raises
`ScheduleError` and leaves script and payload as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from operator import index as as_index
from pathlib import Path
from typing import SupportsIndex, TypeVar, cast

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DenseArrayBase, IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.nest import enclosing_loops
from vtac.analysis.reductions import reduces
from vtac.dialects.schedule import directives as ops
from vtac.dialects.schedule import gpu_directives as gpu
from vtac.dialects.schedule.directives import DirectiveOp, ScriptOp
from vtac.dialects.schedule.payload import ForOp
from vtac.errors import ScheduleError
from vtac.passes.directives import Handles, apply_directive
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.pipelines import Runner
from vtac.preparation import drop_scripts, settle_hardware, stated_hardware, target_of
from vtac.text.context import make_context
from vtac.text.source import parse

_D = TypeVar("_D", bound=DirectiveOp)


@dataclass(frozen=True, eq=False)
class BlockRef:
    """A handle to one block."""

    value: SSAValue
    name: str


@dataclass(frozen=True, eq=False)
class LoopRef:
    """A handle to one loop, with its name and extent when the handle was made."""

    value: SSAValue
    name: str
    extent: int
    _loop: ForOp

    @property
    def reduces(self) -> bool:
        """Whether iterations add to one result, in some block that stands in the loop now."""
        return reduces(self._loop)


@dataclass(frozen=True, eq=False)
class BufferRef:
    """A handle to one buffer."""

    value: SSAValue
    name: str


Annotation = int | bool | str | None


class Schedule:
    """A schedule of one function, in the making.

    `module` is IR, text or a path; it is copied. The function may be named when the module
    has several. `config` is the hardware record of a target, such as a `vtac.VTAConfig`; without it
    the module's counts, else the target's default.
    """

    def __init__(self, module: ModuleOp | str | Path, *, function: str | None = None, config: object = None) -> None:
        self.module = module.clone() if isinstance(module, ModuleOp) else parse(module)
        if config is not None:
            settle_hardware(self.module, target_of(config), config)
        drop_scripts(self.module)
        Runner(make_context()).run_pass(ConvertLinalgToSchedule(), self.module)
        target = _find_function(self.module, function)
        self._script = ScriptOp.get(target.sym_name.data, Region(Block()))
        self._handles = Handles(target)

    @property
    def function(self) -> FuncOp:
        """The scheduled function so far."""
        return self._handles.function

    @property
    def config(self) -> object:
        """The hardware record that the module states, which may be the one given; None without one."""
        return stated_hardware(self.module)

    def __str__(self) -> str:
        text = StringIO()
        Printer(text).print_op(self._script)
        return text.getvalue() + "\n"

    @property
    def script(self) -> ScriptOp:
        """The directives so far, as IR; a copy."""
        return self._script.clone()

    def get_block(self, name: str, position: int | None = None) -> BlockRef:
        """The block of that name; with a position, that one of the blocks from an operation, as `linalg.matmul`.

        Positions count from 0 in program order. Raises with the names there are.
        """
        properties: dict[str, Attribute | None] = {
            "block_name": _string("get_block", "name", name),
            "position": None if position is None else _integer("get_block", "position", position),
        }
        op = self._apply(ops.GetBlockOp(properties=properties, result_types=[ops.BLOCK]))
        return self._copy(op.block, op)

    def get_loops(self, block: BlockRef) -> tuple[LoopRef, ...]:
        """All loops around a block, outermost first."""
        handle = _value("get_loops", "block", block)
        found = enclosing_loops(self._handles.block(handle, ops.GetLoopsOp.create()))
        op = ops.GetLoopsOp(operands=[handle], result_types=[[ops.LOOP] * len(found)])
        self._apply(op)
        return tuple(self._loop(handle, op) for handle in op.loops)

    def get_loop(self, block: BlockRef, name: str | int) -> LoopRef:
        """The innermost loop of that name around a block, or the one at a position: 0 is outermost, -1 innermost.

        A dimension of the block's named operation (`m`, `kh`, ...) names the one loop that runs over it.
        """
        wanted = name if _whole(name) is None else f"#{_whole(name)}"
        properties: dict[str, Attribute] = {"loop_name": _string("get_loop", "name", wanted)}
        op = self._apply(
            ops.GetLoopOp(operands=[_value("get_loop", "block", block)], properties=properties, result_types=[ops.LOOP])
        )
        return self._loop(op.loop, op)

    def get_buffer(self, name: str) -> BufferRef:
        """The buffer of that name."""
        op = self._apply(
            ops.GetBufferOp(properties={"buffer_name": _string("get_buffer", "name", name)}, result_types=[ops.BUFFER])
        )
        op.buffer.name_hint = _hint(name)
        return BufferRef(op.buffer, name)

    def split(
        self, loop: LoopRef, factor: int | None = None, nparts: int | None = None, tail: str = "error"
    ) -> tuple[LoopRef, LoopRef]:
        """Split a loop by inner extent (`factor`) or outer extent (`nparts`); (outer, inner).

        `tail` says what happens when that does not divide: "error", "guard" or "peel".
        """
        properties: dict[str, Attribute | None] = {
            "factor": None if factor is None else _integer("split", "factor", factor),
            "nparts": None if nparts is None else _integer("split", "nparts", nparts),
            "tail": _string("split", "tail", tail),
        }
        op = self._apply(
            ops.SplitOp(
                operands=[_value("split", "loop", loop)], properties=properties, result_types=[ops.LOOP, ops.LOOP]
            )
        )
        return self._loop(op.outer, op), self._loop(op.inner, op)

    def fuse(self, *loops: LoopRef) -> LoopRef:
        """Fuse perfectly nested loops, outermost first, into one."""
        op = self._apply(
            ops.FuseOp(operands=[[_value("fuse", "loop", loop) for loop in loops]], result_types=[ops.LOOP])
        )
        return self._loop(op.fused, op)

    def reorder(self, *loops: LoopRef) -> None:
        """Put loops of one nest in the order given."""
        self._apply(ops.ReorderOp(operands=[[_value("reorder", "loop", loop) for loop in loops]]))

    def compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute what a loop's consumers need of a block inside that loop."""
        self._apply(
            ops.ComputeAtOp(operands=[_value("compute_at", "block", block), _value("compute_at", "loop", loop)])
        )

    def reverse_compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute a consumer block inside the loop that produces its input."""
        self._apply(
            ops.ReverseComputeAtOp(
                operands=[_value("reverse_compute_at", "block", block), _value("reverse_compute_at", "loop", loop)]
            )
        )

    def compute_inline(self, block: BlockRef) -> None:
        """Replace reads of a block's output by its body."""
        self._apply(ops.ComputeInlineOp(operands=[_value("compute_inline", "block", block)]))

    def cache_read(self, block: BlockRef, index: int, scope: str, gather: bool = False) -> BlockRef:
        """Let a block read a copy of input `index` in a scope; the copying block.

        With `gather`, dimensions read in steps are copied without what lies between.
        """
        properties: dict[str, Attribute | None] = {
            **_index_and_scope("cache_read", index, scope),
            "gather": UnitAttr() if gather else None,
        }
        op = ops.CacheReadOp(
            operands=[_value("cache_read", "block", block)], properties=properties, result_types=[ops.BLOCK]
        )
        return self._copy(self._apply(op).copy, op)

    def cache_write(self, block: BlockRef, index: int, scope: str) -> BlockRef:
        """Let a block write a buffer in a scope, copied out afterwards; the copying block."""
        op = ops.CacheWriteOp(
            operands=[_value("cache_write", "block", block)],
            properties=_index_and_scope("cache_write", index, scope),
            result_types=[ops.BLOCK],
        )
        return self._copy(self._apply(op).copy, op)

    def set_scope(self, target: BlockRef | BufferRef, *index_and_scope: int | str) -> None:
        """Place a buffer, or the output of a block, in a scope.

        `set_scope(block, 0, "vta.acc")`, `set_scope(block, "vta.acc")` or
        `set_scope(buffer, "vta.acc")`.
        """
        index, scope = (0, *index_and_scope)[-2:] if len(index_and_scope) in (1, 2) else (None, None)
        if not isinstance(index, SupportsIndex) or not isinstance(scope, str):
            raise ScheduleError("set_scope: expected (target, scope) or (target, index, scope)")
        properties = _index_and_scope("set_scope", index, scope)
        self._apply(ops.SetScopeOp(operands=[_value("set_scope", "target", target)], properties=properties))

    def bind(self, loop: LoopRef, thread: str) -> None:
        """Bind a loop to "cthread" (virtual threads) or to a GPU index such as "blockIdx.x"."""
        self._apply(
            ops.BindOp(
                operands=[_value("bind", "loop", loop)], properties={"thread": _string("bind", "thread", thread)}
            )
        )

    def vectorize(self, loop: LoopRef) -> None:
        """Run a loop's iterations as one vector operation."""
        self._apply(ops.VectorizeOp(operands=[_value("vectorize", "loop", loop)]))

    def unroll(self, loop: LoopRef) -> None:
        """Repeat a loop's body instead of looping."""
        self._apply(ops.UnrollOp(operands=[_value("unroll", "loop", loop)]))

    def decompose_reduction(self, block: BlockRef, loop: LoopRef) -> BlockRef:
        """Split a reduction's init off, before a loop; the init's block."""
        op = self._apply(
            ops.DecomposeReductionOp(
                operands=[_value("decompose_reduction", "block", block), _value("decompose_reduction", "loop", loop)],
                result_types=[ops.BLOCK],
            )
        )
        return self._copy(op.init, op)

    def tensorize(self, loop: LoopRef, intrinsic: str) -> None:
        """Compute a loop and all it holds by one hardware intrinsic, such as "vta.gemm"."""
        properties: dict[str, Attribute] = {"intrinsic": _string("tensorize", "intrinsic", intrinsic)}
        self._apply(ops.TensorizeOp(operands=[_value("tensorize", "loop", loop)], properties=properties))

    def dma_copy(self, loop: LoopRef) -> None:
        """Move what a loop copies by DMA."""
        self._apply(ops.DmaCopyOp(operands=[_value("dma_copy", "loop", loop)]))

    def alu(self, loop: LoopRef) -> None:
        """Compute a loop's elementwise block on the vector ALU."""
        self._apply(ops.AluOp(operands=[_value("alu", "loop", loop)]))

    def double_buffer(self, target: BlockRef | BufferRef, copies: int = 2) -> None:
        """Give a buffer, or the one that a block writes, copies used in turn by loop iterations.

        On the VTA tokens of the program then follow the data: a load may run ahead by as many
        iterations as its buffer has copies. `copies=1` asks for that order of tokens alone.
        Of fragments an iteration loads the next one's while it multiplies with its own.
        """
        properties: dict[str, Attribute] = {"copies": _integer("double_buffer", "copies", copies)}
        self._apply(ops.DoubleBufferOp(operands=[_value("double_buffer", "target", target)], properties=properties))

    def rotate(self, loop: LoopRef, outer: LoopRef, step: int) -> None:
        """Start a reduction loop `step` iterations later, modulo its extent, per iteration of `outer`."""
        properties: dict[str, Attribute] = {"step": _integer("rotate", "step", step)}
        self._apply(
            ops.RotateOp(
                operands=[_value("rotate", "loop", loop), _value("rotate", "outer", outer)], properties=properties
            )
        )

    def skip_padding(self, block: BlockRef) -> None:
        """Leave out the iterations of a multiply-accumulate that read padding of zeros."""
        self._apply(ops.SkipPaddingOp(operands=[_value("skip_padding", "block", block)]))

    def transform_layout(self, block: BlockRef, order: Sequence[int]) -> None:
        """Permute the dimensions of a block's output buffer: new dimension i is old order[i]."""
        properties: dict[str, Attribute] = {"order": _integers("transform_layout", "order", order)}
        self._apply(gpu.TransformLayoutOp(operands=[_value("transform_layout", "block", block)], properties=properties))

    def storage_align(self, block: BlockRef, dimension: int, factor: int, offset: int) -> None:
        """Make the stride of a dimension of a block's output `offset` modulo `factor` elements."""
        numbers = {"dimension": dimension, "factor": factor, "offset": offset}
        properties: dict[str, Attribute] = {
            key: _integer("storage_align", key, value) for key, value in numbers.items()
        }
        self._apply(gpu.StorageAlignOp(operands=[_value("storage_align", "block", block)], properties=properties))

    def pipeline(self, loop: LoopRef, stages: int) -> None:
        """Run a loop's copies to shared memory `stages - 1` iterations ahead."""
        properties: dict[str, Attribute] = {"stages": _integer("pipeline", "stages", stages)}
        self._apply(gpu.PipelineOp(operands=[_value("pipeline", "loop", loop)], properties=properties))

    def rasterize(self, rows: LoopRef, columns: LoopRef, group: int) -> None:
        """Let blocks of the grid take their tiles in groups of `group` rows, for the sake of the cache."""
        handles = [_value("rasterize", "rows", rows), _value("rasterize", "columns", columns)]
        properties: dict[str, Attribute] = {"group": _integer("rasterize", "group", group)}
        self._apply(gpu.RasterizeOp(operands=handles, properties=properties))

    def implicit_gemm(self, block: BlockRef, tile: Sequence[int]) -> tuple[BlockRef, BlockRef, BlockRef]:
        """Compute a contraction as one matrix product over copies of its operands, filled up to multiples of a tile.

        `tile` is [m, n, k]. Returns the blocks that copy the first operand, the second, and the
        product to where it belongs; `block` is the product then.
        """
        op = self._apply(
            gpu.ImplicitGemmOp(
                operands=[_value("implicit_gemm", "block", block)],
                properties={"tile": _integers("implicit_gemm", "tile", tile)},
                result_types=[ops.BLOCK] * 3,
            )
        )
        return self._copy(op.a, op), self._copy(op.b, op), self._copy(op.store, op)

    def fuse_variables(self, block: BlockRef, groups: Sequence[Sequence[int]]) -> None:
        """Let one iteration variable of a block run over each group of its variables, outermost first."""
        arrays = ArrayAttr([_integers("fuse_variables", "group", group) for group in groups])
        properties: dict[str, Attribute] = {"groups": arrays}
        self._apply(gpu.FuseVariablesOp(operands=[_value("fuse_variables", "block", block)], properties=properties))

    def annotate(self, target: BlockRef | LoopRef, key: str, value: Annotation = None) -> None:
        """Put an attribute on a block or loop."""
        properties: dict[str, Attribute] = {"key": _string("annotate", "key", key), "value": _annotation(key, value)}
        self._apply(ops.AnnotateOp(operands=[_value("annotate", "target", target)], properties=properties))

    def _apply(self, op: _D) -> _D:
        """Verify, apply and record a directive; a refused one is not recorded."""
        self._script.body.block.add_op(op)
        try:
            op.verify()
            apply_directive(op, self._handles)
        except BaseException as error:
            self._forget(op)
            if isinstance(error, VerifyException):
                raise ScheduleError(f"{op.directive}: {error}") from None
            raise
        return op

    def _forget(self, op: DirectiveOp) -> None:
        op.detach()
        op.drop_all_references()

    def _loop(self, handle: SSAValue, op: DirectiveOp) -> LoopRef:
        loop = self._handles.loop(handle, op)
        handle.name_hint = _hint(loop.loop_name)
        return LoopRef(handle, loop.loop_name, loop.trip_count, loop)

    def _copy(self, handle: SSAValue, op: DirectiveOp) -> BlockRef:
        name = self._handles.block(handle, op).block_name
        handle.name_hint = _hint(name)
        return BlockRef(handle, name)


def _find_function(module: ModuleOp, name: str | None) -> FuncOp:
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    wanted = [op for op in functions if name is None or op.sym_name.data == name]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(op.sym_name.data for op in functions) or "none"
    raise ScheduleError(f"which function to schedule? The module has: {names}; give one by function=")


def _index_and_scope(directive: str, index: SupportsIndex, scope: str) -> dict[str, Attribute]:
    return {"index": _integer(directive, "index", index), "scope": _string(directive, "scope", scope)}


def _annotation(key: str, value: object) -> Attribute:
    if value is None:
        return UnitAttr()
    if isinstance(value, bool):
        return BoolAttr.from_bool(value)
    if isinstance(value, str):
        return StringAttr(value)
    return _integer("annotate", key, value, f"a bool, {_INTEGER}, a string or None")


_INTEGER = "an integer of 64 bits"


def _integer(directive: str, what: str, value: object, wanted: str = _INTEGER) -> IntegerAttr:
    number = _whole(value)
    if number is None or not -(1 << 63) <= number < 1 << 63:
        raise _refused(directive, what, value, wanted)
    return IntegerAttr(number, i64)


def _whole(value: object) -> int | None:
    """The integer that a value is, numpy's included."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return as_index(value)
    except TypeError:
        return None


def _integers(directive: str, what: str, values: object) -> DenseArrayBase:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise _refused(directive, what, values, "a sequence of integers")
    numbers = cast(Iterable[object], values)
    return DenseArrayBase.from_list(i64, [_integer(directive, what, value).value.data for value in numbers])


def _string(directive: str, what: str, value: object) -> StringAttr:
    if not isinstance(value, str):
        raise _refused(directive, what, value, "a string")
    return StringAttr(value)


def _value(directive: str, what: str, reference: object) -> SSAValue:
    """The handle that a reference stands for; its kind is checked when the directive is verified."""
    if not isinstance(reference, BlockRef | LoopRef | BufferRef):
        raise _refused(directive, what, reference, "a reference that a method of the schedule gave")
    return reference.value


def _refused(directive: str, what: str, value: object, wanted: str) -> ScheduleError:
    if isinstance(value, int) and value.bit_length() > 256:
        found = f"an integer of {value.bit_length()} bits"
    else:
        found = repr(value)
    return ScheduleError(f"{directive}: {what} is {found}; {wanted} is required")


def _hint(name: str) -> str | None:
    return name if SSAValue.is_valid_name(name) and not name[0].isdigit() else None
