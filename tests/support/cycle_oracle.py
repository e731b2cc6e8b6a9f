"""The hardware stepped cycle by cycle: slow, plain, and the oracle of the event simulation.

Every part is a generator that runs one cycle per `yield`. Parts read what the cycle began with and
post changes, which all take effect at its end; so their order within a cycle means nothing. Default
configuration and DE10 board only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from vtac.targets.vta.isa import Alu, Finish, Gemm, Instruction, Load, Memory, Store, Unit, is_nop, unit_of

Cycles = Generator[None]

ELEMENT_BYTES = {Memory.UOP: 4, Memory.WGT: 256, Memory.INP: 16, Memory.ACC: 64, Memory.OUT: 16}
PRIORITY = (None, Memory.UOP, Memory.INP, Memory.WGT, Memory.ACC)
"""The clients of the read bus; None is fetch."""

POPS = {Unit.LOAD: ("", "g2l"), Unit.COMPUTE: ("l2g", "s2g"), Unit.STORE: ("g2s", "")}
PUSHES = {Unit.LOAD: ("", "l2g"), Unit.COMPUTE: ("g2l", "g2s"), Unit.STORE: ("s2g", "")}


def bursts_of(block: Load | Store) -> list[int]:
    """The beats of each burst of a block, found by walking its 8-byte words."""
    nbytes, bursts = ELEMENT_BYTES[block.memory], list[int]()
    for row in range(block.y_size):
        first = (block.dram_base + row * block.x_stride) * nbytes
        words = range(first // 8, (first + block.x_size * nbytes - 1) // 8 + 1)
        for word in words:
            if word == words.start or word % 16 == 0:
                bursts.append(0)
            bursts[-1] += 1
    return bursts


class SteppedHardware:
    """The machine that runs one stream."""

    def __init__(self, instructions: Sequence[Instruction]) -> None:
        self.instructions = instructions
        self.cycle = 0
        self.finished: int | None = None
        self.changes: list[Callable[[], object]] = []
        self.queues: dict[Unit, list[Instruction]] = {unit: [] for unit in Unit}
        self.tokens: dict[str, int] = {"l2g": 0, "g2l": 0, "s2g": 0, "g2s": 0}
        self.commands: dict[Memory | None, list[int]] = {client: [] for client in PRIORITY}
        self.tags = 16
        self.memory_queue: list[tuple[Memory | None, int]] = []
        # What the bus carried in this cycle, the one before, and the one before that: (client, is the last beat).
        self.beats: list[tuple[Memory | None, bool] | None] = [None, None, None]

    def run(self, limit: int = 200_000) -> int | None:
        """The cycle in which FINISH is executed, or None when it is not within `limit` cycles."""
        parts = [self._fetch(), *(self._unit(unit) for unit in Unit), self._arbiter(), self._memory()]
        while self.finished is None and self.cycle < limit:
            for part in parts:
                next(part, None)
            for change in self.changes:
                change()
            self.changes.clear()
            self.cycle += 1
        return self.finished

    def _fetch(self) -> Cycles:
        yield
        for first in range(0, len(self.instructions), 8):
            chunk = self.instructions[first : first + 8]
            command, missing = self.commands[None], 2 * len(chunk)
            self.changes.append(lambda command=command, beats=missing: command.append(beats))
            yield
            while missing:
                missing -= self._sees(None, 1)
                yield
            for instruction in chunk:
                queue = self.queues[unit_of(instruction)]
                while len(queue) == 512:
                    yield
                self.changes.append(lambda queue=queue, instruction=instruction: queue.append(instruction))
                yield
            yield

    def _sees(self, client: Memory | None, delay: int) -> bool:
        """Whether the beat of `delay` cycles ago was the client's."""
        beat = self.beats[delay]
        return beat is not None and beat[0] == client

    def _unit(self, unit: Unit) -> Cycles:
        queue = self.queues[unit]
        while True:
            bits = queue[0].dependences if queue else None
            pops = [] if bits is None else self._chosen(POPS[unit], bits.pop_prev, bits.pop_next)
            if bits is None or not all(self.tokens[name] for name in pops):
                yield
                continue
            self._count(pops, -1)
            yield
            yield from self._execute(queue[0])
            self._count(self._chosen(PUSHES[unit], bits.push_prev, bits.push_next), 1)
            self.changes.append(lambda: queue.pop(0))
            yield

    @staticmethod
    def _chosen(names: tuple[str, str], prev: bool, next_: bool) -> list[str]:
        return [name for name, bit in zip(names, (prev, next_), strict=True) if bit and name]

    def _count(self, names: list[str], amount: int) -> None:
        for name in names:
            self.changes.append(lambda name=name: self.tokens.update({name: self.tokens[name] + amount}))

    def _execute(self, instruction: Instruction) -> Cycles:
        """All cycles between the start and the last, in which the tokens are posted."""
        if isinstance(instruction, Finish):
            self.finished = self.cycle
        elif isinstance(instruction, Gemm | Alu):
            trips = (instruction.uop_end - instruction.uop_bgn) * instruction.iter_out * instruction.iter_in
            interval = 2 if isinstance(instruction, Alu) and not instruction.use_imm else 1
            for _ in range(interval * trips + 5):
                yield
        elif is_nop(instruction):
            return
        elif isinstance(instruction, Load):
            yield from self._load(instruction)
        else:
            # The last burst's acknowledgement is the cycle that posts.
            for _ in range(sum(3 + beats + beats // 2 for beats in bursts_of(instruction)) - 1):
                yield

    def _load(self, load: Load) -> Cycles:
        bursts, command = bursts_of(load), self.commands[load.memory]
        delay = 1 if load.memory is Memory.UOP else 2
        missing, idle, pads, since = sum(bursts), load.y_pad_0, self._pads(load), 0
        while bursts or missing or pads:
            since += 1
            data = self._sees(load.memory, delay)
            missing -= data
            if idle:
                idle -= 1
            elif bursts and not command:
                beats = bursts.pop(0)
                self.changes.append(lambda beats=beats: command.append(beats))
            if since >= delay and pads and (pads[0] == "row" or not data):
                pads.pop(0)
            yield

    @staticmethod
    def _pads(load: Load) -> list[str]:
        """What the padder does, a cycle each: write a tile when no data is written, or pass a data row."""
        width, sides = load.x_pad_0 + load.x_size + load.x_pad_1, load.x_pad_0 + load.x_pad_1
        passed = load.y_size if load.y_pad_1 and not sides else 0
        top = load.y_pad_0 * width + load.y_size * sides
        return ["tile"] * top + ["row"] * passed + ["tile"] * (load.y_pad_1 * width)

    def _arbiter(self) -> Cycles:
        while True:
            beat = self.beats[0]
            waiting = [client for client in PRIORITY if self.commands[client]]
            if beat is not None and beat[1]:
                self.changes.append(lambda: setattr(self, "tags", self.tags + 1))
            elif waiting and self.tags:
                client = waiting[0]
                self.changes.append(lambda: setattr(self, "tags", self.tags - 1))
                self.changes.append(
                    lambda client=client: self.memory_queue.append((client, self.commands[client].pop()))
                )
            yield

    def _memory(self) -> Cycles:
        counter, running, owner = 0, 0, None
        while True:
            waiting = bool(self.memory_queue)
            if not running and waiting and counter == 16:
                owner, running = self.memory_queue[0]
                self.changes.append(lambda: self.memory_queue.pop(0))
            beat = (owner, running == 1) if running else None
            running = max(0, running - 1)
            self.changes.append(lambda beat=beat: setattr(self, "beats", [beat, *self.beats[:2]]))
            counter = min(16, counter + 1) if waiting else 0
            yield
