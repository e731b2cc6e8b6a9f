"""The scheduling API: the directives of the schedule dialect, one method each.

    schedule = vtac.Schedule(module)
    conv = schedule.get_block("res_conv")
    *spatial, ic, dy, dx, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=4)
    schedule.show()            # the loop nest so far
    print(schedule)            # the script, as IR
    print(schedule.module)     # the payload so far, as IR

Each method records one directive and applies it at once. An illegal one raises
`ScheduleError` and leaves script and payload as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import ClassVar, SupportsIndex, TypeVar, overload

from xdsl.dialects.builtin import BoolAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.nest import enclosing_loops
from vtac.analysis.reductions import reduces
from vtac.dialects.schedule import directives as ops
from vtac.dialects.schedule import gpu_directives as gpu
from vtac.dialects.schedule.arguments import INTEGER, Reference, integer, make_directive, whole
from vtac.dialects.schedule.declared import CALLED
from vtac.dialects.schedule.directives import DirectiveOp, ScriptOp
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.schedule.spellings import AsyncName, Intrinsic, Scope, TailName, ThreadName
from vtac.errors import ScheduleError
from vtac.passes.directives import Handles, apply_directive
from vtac.passes.directives.steps import Step, nest_at, steps_of
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.pipelines import Runner
from vtac.preparation import drop_scripts, hardware_described, settle_hardware, stated_hardware
from vtac.rewriting.edits import append, discard
from vtac.text.context import make_context
from vtac.text.excerpts import caller, pointed_methods
from vtac.text.loop_nest import nest_text
from vtac.text.reports import one_line
from vtac.text.short import counted, short_name
from vtac.text.source import parse

_D = TypeVar("_D", bound=DirectiveOp)


@dataclass(frozen=True, eq=False)
class BlockRef(Reference):
    """A handle to one block."""

    name: str

    def __repr__(self) -> str:
        return f"<block {short_name(self.name)}>"


@dataclass(frozen=True, eq=False)
class LoopRef(Reference):
    """A handle to one loop, with its name and extent when the handle was made."""

    name: str
    extent: int
    _loop: ForOp

    @property
    def reduces(self) -> bool:
        """Whether iterations add to one result, in some block that stands in the loop now."""
        return reduces(self._loop)

    def __repr__(self) -> str:
        return f"<loop {short_name(self.name)} of {self.extent}>"


@dataclass(frozen=True, eq=False)
class BufferRef(Reference):
    """A handle to one buffer."""

    name: str

    def __repr__(self) -> str:
        return f"<buffer {short_name(self.name)}>"


Annotation = int | bool | str | None


@pointed_methods
class Schedule:
    """A schedule of one function, in the making.

    `module` is IR, text or a path; it is copied. The function may be named when the module
    has several. `config` is the hardware record of a target, such as a `vtac.VTAConfig`, or what names one:
    "sm_90", the path of a `vta_config.json`. Without it the module's counts, else the target's default.
    """

    _copies_start: ClassVar = True

    def __init__(self, module: ModuleOp | str | Path, *, function: str | None = None, config: object = None) -> None:
        self.module = module.clone() if isinstance(module, ModuleOp) else parse(module)
        if config is not None:
            target, record = hardware_described(config)
            settle_hardware(self.module, target, record)
        drop_scripts(self.module)
        self._start = self.module.clone() if self._copies_start or not isinstance(module, ModuleOp) else module
        Runner(make_context()).run_pass(ConvertLinalgToSchedule(), self.module)
        scheduled = _find_function(self.module, function)
        self._script = ScriptOp.get(scheduled.sym_name.data, Region(Block()))
        self._handles = Handles(scheduled)

    @property
    def function(self) -> FuncOp:
        """The scheduled function so far."""
        return self._handles.function

    @property
    def config(self) -> object:
        """The hardware record that the module states, which may be the one given; None without one."""
        return stated_hardware(self.module)

    def show(self, diff: bool = False) -> None:
        """Print the loop nest so far; with `diff`, marked with - and + what the last directive changed.

        A line is a loop with its extent and kind, a buffer with its scope, or a statement. In brackets stands
        what a loop is mapped to, and what else directives left there.
        """
        steps = self.steps() if diff else ()
        print(steps[-1] if steps else nest_text(self.function))

    def steps(self) -> tuple[Step, ...]:
        """Each directive so far that is no lookup, with the loop nest before and after it."""
        work = self._start.clone()
        Runner(make_context()).run_pass(ConvertLinalgToSchedule(), work)
        return tuple(steps_of(self.script, _find_function(work, self._script.target.data)))

    def __repr__(self) -> str:
        directives = len(self._script.body.block.ops)
        return f"<Schedule of {short_name(self._script.target.data)}: {counted(directives, 'directive')}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(nest_text(self.function))}</pre>"

    def __str__(self) -> str:
        text = StringIO()
        Printer(text).print_op(self._script)
        return text.getvalue() + "\n"

    @property
    def name(self) -> str | None:
        """What the schedule is called in what is made of it, such as the head of a CUDA text; None without a name."""
        return CALLED.get(self._script)

    @name.setter
    def name(self, name: str) -> None:
        CALLED.set(self._script, name)
        CALLED.set(self.function, name)

    @property
    def script(self) -> ScriptOp:
        """The directives so far, as IR; a copy."""
        return self._script.clone()

    def get_block(self, name: str, position: int | None = None) -> BlockRef:
        """The block of that name; with a position, that one of the blocks from an operation, as `linalg.matmul`.

        Positions count from 0 in program order. Raises with the names there are.
        """
        return self._blocks(self.direct(ops.GetBlockOp, block_name=name, position=position))[0]

    def get_loops(self, block: BlockRef) -> tuple[LoopRef, ...]:
        """All loops around a block, outermost first."""
        op = make_directive(ops.GetLoopsOp, {"block": block}, 0)
        found = enclosing_loops(self._handles.block(op.block, op))
        return self._loops(self._apply(make_directive(ops.GetLoopsOp, {"block": block}, len(found))))

    def get_loop(self, block: BlockRef, name: str | int) -> LoopRef:
        """The innermost loop of that name around a block, or the one at a position: 0 is outermost, -1 innermost.

        A dimension of the block's named operation (`m`, `kh`, ...) names the one loop that runs over it.
        """
        position = whole(name)
        wanted = name if position is None else f"#{position}"
        return self._loops(self.direct(ops.GetLoopOp, block=block, loop_name=wanted))[0]

    def get_buffer(self, name: str) -> BufferRef:
        """The buffer of that name."""
        op = self.direct(ops.GetBufferOp, buffer_name=name)
        op.buffer.name_hint = _hint(name)
        return BufferRef(op.buffer, name)

    def split(
        self, loop: LoopRef, factor: int | None = None, nparts: int | None = None, tail: TailName = "error"
    ) -> tuple[LoopRef, LoopRef]:
        """Split a loop by inner extent (`factor`) or outer extent (`nparts`); (outer, inner).

        `tail` says what happens when that does not divide: "error", "guard" or "peel".
        """
        if isinstance(factor, list | tuple):
            raise ScheduleError(
                f"split: factor is {factor!r}; one integer is required, as factor or nparts: split the inner loop "
                "again for more than two loops"
            )
        outer, inner = self._loops(self.direct(ops.SplitOp, loop=loop, factor=factor, nparts=nparts, tail=tail))
        return outer, inner

    def fuse(self, *loops: LoopRef) -> LoopRef:
        """Fuse perfectly nested loops, outermost first, into one."""
        return self._loops(self.direct(ops.FuseOp, loops=loops))[0]

    def reorder(self, *loops: LoopRef) -> None:
        """Put loops of one nest in the order given."""
        self.direct(ops.ReorderOp, loops=loops)

    def compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute what a loop's consumers need of a block inside that loop."""
        self.direct(ops.ComputeAtOp, block=block, loop=loop)

    def reverse_compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute a consumer block inside the loop that produces its input."""
        self.direct(ops.ReverseComputeAtOp, block=block, loop=loop)

    def compute_inline(self, block: BlockRef) -> None:
        """Replace reads of a block's output by its body."""
        self.direct(ops.ComputeInlineOp, block=block)

    def cache_read(self, block: BlockRef, index: int, scope: Scope, gather: bool = False) -> BlockRef:
        """Let a block read a copy of input `index` in a scope; the copying block.

        With `gather`, dimensions read in steps are copied without what lies between.
        """
        return self._blocks(self.direct(ops.CacheReadOp, block=block, index=index, scope=scope, gather=gather))[0]

    def cache_write(self, block: BlockRef, index: int, scope: Scope) -> BlockRef:
        """Let a block write a buffer in a scope, copied out afterwards; the copying block."""
        return self._blocks(self.direct(ops.CacheWriteOp, block=block, index=index, scope=scope))[0]

    @overload
    def set_scope(self, target: BlockRef | BufferRef, scope: Scope, /) -> None: ...
    @overload
    def set_scope(self, target: BlockRef, index: int, scope: Scope, /) -> None: ...
    def set_scope(self, target: BlockRef | BufferRef, *index_and_scope: int | str) -> None:
        """Place a buffer, or the output of a block, in a scope.

        `set_scope(block, 0, "vta.acc")`, `set_scope(block, "vta.acc")` or
        `set_scope(buffer, "vta.acc")`.
        """
        index, scope = (0, *index_and_scope)[-2:] if len(index_and_scope) in (1, 2) else (None, None)
        if not isinstance(index, SupportsIndex) or not isinstance(scope, str):
            raise ScheduleError("set_scope: expected (target, scope) or (target, index, scope)")
        self.direct(ops.SetScopeOp, target=target, index=index, scope=scope)

    def bind(self, loop: LoopRef, thread: ThreadName) -> None:
        """Bind a loop to "cthread" (virtual threads) or to a GPU index such as "blockIdx.x"."""
        self.direct(ops.BindOp, loop=loop, thread=thread)

    def vectorize(self, loop: LoopRef) -> None:
        """Run a loop's iterations as one vector operation."""
        self.direct(ops.VectorizeOp, loop=loop)

    def unroll(self, loop: LoopRef) -> None:
        """Repeat a loop's body instead of looping."""
        self.direct(ops.UnrollOp, loop=loop)

    def decompose_reduction(self, block: BlockRef, loop: LoopRef) -> BlockRef:
        """Split a reduction's init off, before a loop; the init's block."""
        return self._blocks(self.direct(ops.DecomposeReductionOp, block=block, loop=loop))[0]

    def tensorize(self, loop: LoopRef, intrinsic: Intrinsic) -> None:
        """Compute a loop and all it holds by one hardware intrinsic, such as "vta.gemm"."""
        self.direct(ops.TensorizeOp, loop=loop, intrinsic=intrinsic)

    def dma_copy(self, loop: LoopRef) -> None:
        """Move what a loop copies by DMA."""
        self.direct(ops.DmaCopyOp, loop=loop)

    def alu(self, loop: LoopRef) -> None:
        """Compute a loop's elementwise block on the vector ALU."""
        self.direct(ops.AluOp, loop=loop)

    def double_buffer(self, target: BlockRef | BufferRef, copies: int = 2) -> None:
        """Give a buffer, or the one that a block writes, copies used in turn by loop iterations.

        On the VTA tokens of the program then follow the data: a load may run ahead by as many
        iterations as its buffer has copies. `copies=1` asks for that order of tokens alone.
        Of fragments an iteration loads the next one's while it multiplies with its own.
        """
        self.direct(ops.DoubleBufferOp, target=target, copies=copies)

    def rotate(self, loop: LoopRef, outer: LoopRef, step: int) -> None:
        """Start a reduction loop `step` iterations later, modulo its extent, per iteration of `outer`."""
        self.direct(ops.RotateOp, loop=loop, outer=outer, step=step)

    def skip_padding(self, block: BlockRef) -> None:
        """Leave out the iterations of a multiply-accumulate that read padding of zeros."""
        self.direct(ops.SkipPaddingOp, block=block)

    def transform_layout(self, block: BlockRef, order: Sequence[int]) -> None:
        """Permute the dimensions of a block's output buffer: new dimension i is old order[i]."""
        self.direct(gpu.TransformLayoutOp, block=block, order=order)

    def storage_align(self, block: BlockRef, dimension: int, factor: int, offset: int) -> None:
        """Make the stride of a dimension of a block's output `offset` modulo `factor` elements."""
        self.direct(gpu.StorageAlignOp, block=block, dimension=dimension, factor=factor, offset=offset)

    def swizzle(self, block: BlockRef, bytes: int, panels: bool = False) -> None:
        """Let 16-byte chunks change places within each 32, 64 or 128 `bytes` of a row of a block's shared output.

        With `panels` wider rows are cut into panels of so many bytes, as `wgmma` reads them.
        """
        self.direct(gpu.SwizzleOp, block=block, bytes=bytes, panels=panels)

    def pipeline(self, loop: LoopRef, stages: int, async_: AsyncName | None = None) -> None:
        """Run a loop's copies to shared memory `stages - 1` iterations ahead.

        By threads, or, with `async_="tma"`, as bulk copies of what is tensorized as "tma.load".
        """
        self.direct(gpu.PipelineOp, loop=loop, stages=stages, async_=async_)

    def specialize(self, loop: LoopRef, producers: int, consumers: int) -> None:
        """Have `producers` more warps ask for a loop's bulk copies, and all others, the `consumers`, use them."""
        self.direct(gpu.SpecializeOp, loop=loop, producers=producers, consumers=consumers)

    def rasterize(self, rows: LoopRef, columns: LoopRef, group: int) -> None:
        """Let blocks of the grid take their tiles in groups of `group` rows, for the sake of the cache."""
        self.direct(gpu.RasterizeOp, rows=rows, columns=columns, group=group)

    def implicit_gemm(self, block: BlockRef, tile: Sequence[int]) -> tuple[BlockRef, BlockRef, BlockRef]:
        """Compute a contraction as one matrix product over copies of its operands, filled up to multiples of a tile.

        `tile` is [m, n, k]. Returns the blocks that copy the first operand, the second, and the
        product to where it belongs; `block` is the product then.
        """
        a, b, store = self._blocks(self.direct(gpu.ImplicitGemmOp, block=block, tile=tile))
        return a, b, store

    def rfactor(self, block: BlockRef, loop: LoopRef) -> BlockRef:
        """Reduce each iteration of a reduction loop into an element of its own, and these into the result.

        Returns the block of the parts; `block` adds them up, in a nest of its own after it.
        """
        return self._blocks(self.direct(gpu.RfactorOp, block=block, loop=loop))[0]

    def fuse_variables(self, block: BlockRef, groups: Sequence[Sequence[int]]) -> None:
        """Let one iteration variable of a block run over each group of its variables, outermost first."""
        self.direct(gpu.FuseVariablesOp, block=block, groups=groups)

    def annotate(self, target: BlockRef | LoopRef, key: str, value: Annotation = None) -> None:
        """Put a note of your own on a block or loop."""
        self.direct(ops.AnnotateOp, target=target, key=key, value=_annotation(key, value))

    def direct(self, directive: type[_D], **arguments: object) -> _D:
        """Apply any directive, those of other packages among them, with its operands and properties by name."""
        return self._apply(make_directive(directive, arguments))

    def _apply(self, op: _D) -> _D:
        """Verify, apply and record a directive; a refused one is not recorded."""
        append(op, self._script.body.block)
        try:
            op.verify()
            apply_directive(op, self._handles)
        except BaseException as error:
            refused = self._refused(op, error)
            discard(op)
            if refused is None:
                raise
            raise refused from None
        return op

    def _refused(self, op: DirectiveOp, error: BaseException) -> ScheduleError | None:
        """The error for a directive, with the line that gave it and the loop nest as it is."""
        if isinstance(error, VerifyException):
            words = one_line(str(error))
            error = ScheduleError(f"{op.directive}: {words}").parts(tried=op.directive, found=words)
        if not isinstance(error, ScheduleError):
            return None
        error.caller = caller()
        if error.caller:
            error.nest = nest_at(op, self._handles)
        return error

    def _loops(self, op: DirectiveOp) -> tuple[LoopRef, ...]:
        """References to the loops that a directive gave handles to."""
        refs: list[LoopRef] = []
        for handle in op.results:
            loop = self._handles.loop(handle, op)
            handle.name_hint = _hint(loop.loop_name)
            refs.append(LoopRef(handle, loop.loop_name, loop.trip_count, loop))
        return tuple(refs)

    def _blocks(self, op: DirectiveOp) -> tuple[BlockRef, ...]:
        """References to the blocks that a directive gave handles to."""
        refs: list[BlockRef] = []
        for handle in op.results:
            name = self._handles.block(handle, op).block_name
            handle.name_hint = _hint(name)
            refs.append(BlockRef(handle, name))
        return tuple(refs)


class TrialSchedule(Schedule):
    """A schedule of a module that nobody changes meanwhile, so that it needs no copy to know what it started from."""

    _copies_start = False


def used_up(schedule: Schedule) -> tuple[ScriptOp, ModuleOp]:
    """The directives of a schedule and the module that they have made, themselves and no copies."""
    return schedule._script, schedule.module  # pyright: ignore[reportPrivateUsage]


def _find_function(module: ModuleOp, name: str | None) -> FuncOp:
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    wanted = [op for op in functions if name is None or op.sym_name.data == name]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(op.sym_name.data for op in functions) or "none"
    raise ScheduleError(f"which function to schedule? The module has: {names}; give one by function=")


def _annotation(key: str, value: object) -> Attribute:
    if value is None:
        return UnitAttr()
    if isinstance(value, bool):
        return BoolAttr.from_bool(value)
    if isinstance(value, str):
        return StringAttr(value)
    return integer("annotate", key, value, f"a bool, {INTEGER}, a string or None")


def _hint(name: str) -> str | None:
    return name if SSAValue.is_valid_name(name) and not name[0].isdigit() else None
