"""Random directives on a payload: whatever is legal must leave the numbers as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from xdsl.dialects.func import FuncOp

from vtac.analysis.nests.nest import blocks_under, readers_of, writers_of
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.schedule.spellings import TailName
from vtac.errors import CompileError
from vtac.schedule import BlockRef, LoopRef, Schedule

Move = Callable[["RandomDirectives"], str]

SCOPES = ("global", "vta.inp", "vta.wgt", "vta.acc", "local")


class RandomDirectives:
    """Draws directives with random operands and applies those that are legal."""

    def __init__(self, schedule: Schedule, seed: int) -> None:
        self.schedule = schedule
        self.random = Random(seed)

    def apply(self, count: int) -> Iterator[str]:
        """Names of the directives applied, each yielded after it was; at most `count` are tried."""
        for _ in range(count):
            move = self.random.choice(MOVES)
            try:
                yield move(self)
            except CompileError:
                continue

    def block(self) -> BlockRef:
        return self.schedule.get_block(self._payload_block().block_name)

    def _payload_block(self) -> BlockOp:
        function = next(op for op in self.schedule.module.ops if isinstance(op, FuncOp))
        return self.random.choice(blocks_under(function))

    def _loop_around(self, blocks: list[BlockOp]) -> LoopRef:
        """A loop of one of the blocks; of any block when there are none."""
        name = self.random.choice(blocks or [self._payload_block()]).block_name
        return self.random.choice(self.loops(self.schedule.get_block(name)))

    def loops(self, block: BlockRef) -> list[LoopRef]:
        return list(self.schedule.get_loops(block))

    def loop(self) -> LoopRef:
        return self.random.choice(self.loops(self.block()))

    def split(self) -> str:
        loop, amount = self.loop(), self.random.randint(1, 4)
        tail: TailName = self.random.choice(("error", "guard", "guard", "peel"))
        if self.random.random() < 0.7:
            self.schedule.split(loop, factor=amount, tail=tail)
        else:
            self.schedule.split(loop, nparts=amount, tail=tail)
        return "split"

    def fuse(self) -> str:
        loops = self.loops(self.block())
        start = self.random.randrange(len(loops))
        self.schedule.fuse(*loops[start : start + 2])
        return "fuse"

    def reorder(self) -> str:
        loops = self.loops(self.block())
        self.schedule.reorder(*self.random.sample(loops, min(len(loops), self.random.randint(2, 4))))
        return "reorder"

    def compute_at(self) -> str:
        producer = self._payload_block()
        loop = self._loop_around(readers_of(producer.output))
        self.schedule.compute_at(self.schedule.get_block(producer.block_name), loop)
        return "compute_at"

    def reverse_compute_at(self) -> str:
        consumer = self._payload_block()
        loop = self._loop_around([writer for value in consumer.inputs for writer in writers_of(value)])
        self.schedule.reverse_compute_at(self.schedule.get_block(consumer.block_name), loop)
        return "reverse_compute_at"

    def compute_inline(self) -> str:
        self.schedule.compute_inline(self.block())
        return "compute_inline"

    def cache_read(self) -> str:
        self.schedule.cache_read(self.block(), self.random.randrange(2), self.random.choice(SCOPES))
        return "cache_read"

    def cache_write(self) -> str:
        self.schedule.cache_write(self.block(), 0, self.random.choice(SCOPES))
        return "cache_write"

    def set_scope(self) -> str:
        self.schedule.set_scope(self.block(), 0, self.random.choice(SCOPES))
        return "set_scope"

    def bind(self) -> str:
        self.schedule.bind(self.loop(), "cthread")
        return "bind"

    def unroll(self) -> str:
        self.schedule.unroll(self.loop())
        return "unroll"

    def vectorize(self) -> str:
        self.schedule.vectorize(self.loop())
        return "vectorize"

    def decompose_reduction(self) -> str:
        self.schedule.decompose_reduction(self.block(), self.loop())
        return "decompose_reduction"


MOVES: tuple[Move, ...] = (
    *[RandomDirectives.split] * 4,
    *[RandomDirectives.reorder] * 4,
    *[RandomDirectives.compute_at] * 4,
    *[RandomDirectives.reverse_compute_at] * 3,
    *[RandomDirectives.fuse] * 2,
    *[RandomDirectives.cache_read] * 2,
    RandomDirectives.cache_write,
    RandomDirectives.compute_inline,
    RandomDirectives.set_scope,
    RandomDirectives.bind,
    RandomDirectives.unroll,
    RandomDirectives.vectorize,
    RandomDirectives.decompose_reduction,
)
