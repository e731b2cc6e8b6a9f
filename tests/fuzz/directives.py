"""Random calls of every directive there is, their arguments legal by construction in most cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from random_schedules import RandomDirectives
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.analysis.nests.nest import blocks_under, shape_of, writers_of
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.schedule.script import DirectiveOp, ScriptOp
from vtac.dialects.schedule.spellings import ThreadName
from vtac.errors import CompileError
from vtac.schedule import BlockRef, LoopRef, Schedule

SCOPES = ("global", "vta.inp", "vta.wgt", "vta.acc", "local", "shared", "wmma.matrix_a", "wmma.matrix_b")
THREADS: tuple[ThreadName, ...] = (
    "cthread",
    "blockIdx.x",
    "blockIdx.y",
    "blockIdx.z",
    "threadIdx.x",
    "threadIdx.y",
    "threadIdx.z",
)
INTRINSICS = ("vta.gemm", *(f"wmma.{name}" for name in ("load_matrix_sync", "mma_sync", "store_matrix_sync")))


class GrowingSchedule(Schedule):
    """A schedule that also takes directives of another one's script, as long as their handles are there."""

    def follow(self, script: ScriptOp) -> list[tuple[str, Callable[[], bool]]]:
        """The directives of a script, by name, to be taken in order; each step says whether it was accepted."""
        known: dict[SSAValue, SSAValue] = {}
        ops = [op for op in script.body.block.ops if isinstance(op, DirectiveOp)]

        def step(op: DirectiveOp) -> bool:
            if any(operand not in known for operand in op.operands):
                return False
            try:
                applied = self._apply(op.clone(dict(known)))
            except CompileError:
                return False
            known.update(zip(op.results, applied.results, strict=True))
            return True

        return [(op.directive, lambda op=op: step(op)) for op in ops]


class AnyDirectives(RandomDirectives):
    """Draws any directive; those of the base class, and the rest."""

    def __init__(self, schedule: Schedule, random: Random, names: Sequence[str]) -> None:
        super().__init__(schedule, 0)
        self.random = random
        self.names = tuple(names)

    def try_one(self, name: str | None = None) -> tuple[str, bool]:
        """The name of a directive, any or the one asked for, and whether it was accepted."""
        name = name or self.random.choice(self.names)
        try:
            MOVES[name](self)
        except CompileError:
            return name, False
        return name, True

    def blocks(self) -> list[BlockOp]:
        """All blocks of the payload."""
        function = next(op for op in self.schedule.module.ops if isinstance(op, FuncOp))
        return blocks_under(function)

    def chosen(self, fits: Callable[[BlockOp], bool]) -> BlockRef:
        """A block that fits mostly, else any."""
        fitting = [block for block in self.blocks() if fits(block)]
        block = self.random.choice(fitting if fitting and self.random.random() < 0.9 else self.blocks())
        return self.schedule.get_block(block.block_name)

    def split_evenly(self) -> None:
        loop = self.loop()
        extent = loop.extent
        factor = self.random.choice([n for n in range(1, extent + 1) if extent % n == 0])
        if self.random.random() < 0.5:
            self.schedule.split(loop, factor=factor)
        else:
            self.schedule.split(loop, nparts=factor, tail=self.random.choice(("error", "guard", "peel")))

    def fuse_many(self) -> None:
        loops = self.loops(self.block())
        start = self.random.randrange(len(loops))
        self.schedule.fuse(*loops[start : start + self.random.randint(2, 3)])

    def cache_gathered(self) -> None:
        block = self.random.choice(self.blocks())
        index = self.random.randrange(max(len(block.inputs), 1))
        reference = self.schedule.get_block(block.block_name)
        self.schedule.cache_read(reference, index, self.random.choice(SCOPES), gather=self.random.random() < 0.4)

    def place_buffer(self) -> None:
        block = self.random.choice(self.blocks())
        scope = self.random.choice(SCOPES)
        if self.random.random() < 0.5:
            self.schedule.set_scope(self.schedule.get_block(block.block_name), 0, scope)
        else:
            self.schedule.set_scope(self.schedule.get_buffer(f"{block.block_name}_buf"), scope)

    def bind_any(self) -> None:
        self.schedule.bind(self.loop(), self.random.choice(THREADS))

    def tensorize(self) -> None:
        block = self.chosen(lambda block: block.init is not None or len(block.inputs) > 1)
        loops = self.loops(block)
        depth = self.random.choice([3, 3, 2, 1])
        self.schedule.tensorize(loops[-min(depth, len(loops))], self.random.choice(INTRINSICS))

    def dma_copy(self) -> None:
        self.schedule.dma_copy(self._inner_loop(self.chosen(lambda block: len(block.inputs) == 1)))

    def alu(self) -> None:
        self.schedule.alu(self._inner_loop(self.block()))

    def _inner_loop(self, block: BlockRef) -> LoopRef:
        loops = self.loops(block)
        return loops[-self.random.randint(1, min(6, len(loops)))]

    def double_buffer(self) -> None:
        self.schedule.double_buffer(self.block(), self.random.choice([1, 2, 2, 3]))

    def rotate(self) -> None:
        loops = self.loops(self.chosen(lambda block: block.init is not None))
        reductions = [loop for loop in loops if loop.reduces] or loops
        inner = self.random.choice(reductions)
        outer = self.random.choice(loops[: max(loops.index(inner), 1)])
        self.schedule.rotate(inner, outer, self.random.randint(0, inner.extent))

    def skip_padding(self) -> None:
        self.schedule.skip_padding(self.chosen(lambda block: block.init is not None))

    def annotate(self) -> None:
        target = self.block() if self.random.random() < 0.5 else self.loop()
        value = self.random.choice([None, True, 5, -1, "a note", 'quoted "text"'])
        self.schedule.annotate(target, self.random.choice(["note", "my.key", "a b", "vta.x", "schedule.x"]), value)

    def transform_layout(self) -> None:
        block = self.random.choice(self.blocks())
        order = self.random.sample(range(rank := len(shape_of(block.output))), rank)
        self.schedule.transform_layout(self.schedule.get_block(block.block_name), order)

    def storage_align(self) -> None:
        factor = self.random.choice([2, 8, 16, 32])
        dimension, offset = self.random.randrange(3), self.random.randrange(factor)
        self.schedule.storage_align(self.block(), dimension, factor, offset)

    def pipeline(self) -> None:
        self.schedule.pipeline(self.loop(), self.random.randint(2, 4))

    def rasterize(self) -> None:
        loops = self.loops(self.block())
        if len(loops) > 1:
            start = self.random.choice([0, 0, self.random.randrange(len(loops) - 1)])
            if self.random.random() < 0.5 and "blockIdx" not in f"{loops[start]}{loops[start + 1]}":
                self.schedule.bind(loops[start], "blockIdx.y")
                self.schedule.bind(loops[start + 1], "blockIdx.x")
            self.schedule.rasterize(loops[start], loops[start + 1], self.random.choice([1, 2, 2, loops[start].extent]))

    def rfactor(self) -> None:
        block = self.chosen(lambda block: block.init is not None)
        loops = self.loops(block)
        reductions = [loop for loop in loops if loop.reduces] or loops
        self.schedule.rfactor(block, self.random.choice(reductions))

    def implicit_gemm(self) -> None:
        tile = [self.random.choice([1, 4, 8, 16, 16, 32]) for _ in range(3)]
        self.schedule.implicit_gemm(self.chosen(lambda block: block.init is not None), tile)

    def fuse_variables(self) -> None:
        block = self.random.choice(self.blocks())
        groups: list[list[int]] = [[]]
        for number in range(len(block.variables)):
            if groups[-1] and self.random.random() < 0.5:
                groups.append([])
            groups[-1].append(number)
        self.schedule.fuse_variables(self.schedule.get_block(block.block_name), groups)

    def handles_by_name(self) -> None:
        block = self.block()
        loops = self.loops(block)
        self.schedule.get_loop(block, self.random.choice([loops[-1].name, 0, -1, "m", "kh"]))
        writers = writers_of(self.random.choice(self.blocks()).output)
        self.schedule.get_block(writers[0].block_name)


MOVES: dict[str, Callable[[AnyDirectives], object]] = {
    "split": lambda moves: moves.split() if moves.random.random() < 0.4 else moves.split_evenly(),
    "fuse": AnyDirectives.fuse_many,
    "reorder": AnyDirectives.reorder,
    "compute_at": AnyDirectives.compute_at,
    "reverse_compute_at": AnyDirectives.reverse_compute_at,
    "compute_inline": AnyDirectives.compute_inline,
    "cache_read": AnyDirectives.cache_gathered,
    "cache_write": AnyDirectives.cache_write,
    "set_scope": AnyDirectives.place_buffer,
    "bind": AnyDirectives.bind_any,
    "vectorize": AnyDirectives.vectorize,
    "unroll": AnyDirectives.unroll,
    "decompose_reduction": AnyDirectives.decompose_reduction,
    "tensorize": AnyDirectives.tensorize,
    "dma_copy": AnyDirectives.dma_copy,
    "alu": AnyDirectives.alu,
    "double_buffer": AnyDirectives.double_buffer,
    "rotate": AnyDirectives.rotate,
    "skip_padding": AnyDirectives.skip_padding,
    "annotate": AnyDirectives.annotate,
    "transform_layout": AnyDirectives.transform_layout,
    "storage_align": AnyDirectives.storage_align,
    "pipeline": AnyDirectives.pipeline,
    "rasterize": AnyDirectives.rasterize,
    "rfactor": AnyDirectives.rfactor,
    "implicit_gemm": AnyDirectives.implicit_gemm,
    "fuse_variables": AnyDirectives.fuse_variables,
    "get_loop": AnyDirectives.handles_by_name,
}
"""By the directive's name; `get_block`, `get_loops` and `get_buffer` come with the others."""
