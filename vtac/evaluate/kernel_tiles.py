"""Operations of the mma level: what each lane of each warp holds in its registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects import mma
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.layouts import CORE_ROWS, LaneLayout
from vtac.dialects.mma.ops import SORT
from vtac.dialects.mma.stores import stored_matrix
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.kernel_memory import KernelMemory, Users
from vtac.evaluate.kernel_warps import REGISTER_DTYPES, WarpOperations, cut_to_tf32, rounded_to_tf32
from vtac.evaluate.numbers import Array, Integers, Mask, number
from vtac.evaluate.refusals import refused


@dataclass
class LaneTiles:
    """An array of tiles of every warp, by lane: (warps, tiles, lanes, elements), and which tiles hold values.

    Tiles that are `pending` will hold sums once a product of a warpgroup has been waited for.
    """

    record: Tiles
    data: Array
    defined: Mask
    pending: Mask

    @staticmethod
    def declare(record: Tiles, warps: int) -> LaneTiles:
        """Tiles that hold nothing yet."""
        shape = (warps, record.count, WARP_SIZE, record.layout.elements)
        defined, pending = np.zeros(shape[:2], np.bool_), np.zeros(shape[:2], np.bool_)
        return LaneTiles(record, np.zeros(shape, REGISTER_DTYPES[record.element]), defined, pending)


@cache
def _places(layout: LaneLayout) -> tuple[Integers, Integers]:
    """Rows and columns of what lanes hold: (lanes, elements) each."""
    places = np.array(layout.places, np.int64)
    return places[..., 0], places[..., 1]


def matrices_of(tiles: Array, layout: LaneLayout) -> Array:
    """The tiles that lanes hold the elements of, as matrices."""
    rows, columns = _places(layout)
    found = np.empty((*tiles.shape[:-2], layout.rows, layout.columns), tiles.dtype)
    found[..., rows, columns] = tiles
    return found


def _sorted_bytes(cores: Array) -> Array:
    """Four matrices of 8 rows of 16 columns each as two tiles' registers, by the lanes that have sorted their bytes."""
    warps = cores.shape[0]
    # By lane 4 g + q: rows 2 q and 2 q + 1, columns 2 g and 2 g + 1 of each matrix, as transposing 16 bits leaves them.
    pairs = cores.reshape(warps, 2, 2, 4, 2, 8, 2).transpose(0, 1, 5, 3, 2, 4, 6).reshape(warps, 2, WARP_SIZE, 8)
    chosen = np.array(
        [[selector + odd * 0x1111 >> 4 * at & 7 for at in range(4)] for odd in range(2) for selector in SORT]
    )
    by_lane = chosen.reshape(2, 2, 4)[:, np.arange(WARP_SIZE) // 2 % 2]
    words = np.stack([np.take_along_axis(pairs, by_lane[odd][None, None], axis=-1) for odd in range(2)], axis=1)
    return words.reshape(warps, 4, CORE_ROWS, 16)


@dataclass
class TileOperations:
    """Executes operations of the mma level for all active warps of the blocks under execution."""

    warps: WarpOperations
    tiles: dict[SSAValue, LaneTiles] = field(default_factory=dict[SSAValue, LaneTiles])

    def declare(self, op: mma.TilesOp) -> None:
        self.tiles[op.tiles] = LaneTiles.declare(op.tiles.type.data, self.warps.warps)

    def _pick(self, tiles: LaneTiles, index: Array, warps: Integers, op: Operation, number: int = 1) -> Integers:
        """The number of the tile in each warp's array; of the first where an operation takes several."""
        chosen = self.warps.uniform(index, warps, op)
        count = tiles.record.count
        if chosen.size and (chosen.min() < 0 or chosen.max() + number > count):
            raise refused(f"'{op.name}' names tile {int(chosen.max()) + number - 1} of an array of {count}", op)
        return chosen

    def fill(self, op: mma.FillOp, index: Array, active: Mask | None) -> None:
        tiles, warps = self.tiles[op.tiles], self.warps.active_warps(active, op)
        chosen = self._pick(tiles, index, warps, op)
        value: Attribute = op.value
        tiles.data[warps, chosen] = number(value)[0]
        tiles.defined[warps, chosen] = True

    def store(
        self, op: mma.StmatrixOp, values: list[Array], memory: KernelMemory, offset: Array, active: Mask | None
    ) -> None:
        """Rows that lanes name, gathered from the lanes of their warp.

        Raises `EvaluationError` for a row that starts at no multiple of 16 bytes.
        """
        warps, count = self.warps.active_warps(active, op), op.matrices
        rows, columns = _places(stored_matrix(transposed=op.transposed is not None))
        shape = (self.warps.warps, WARP_SIZE)
        shown = [np.broadcast_to(value, self.warps.threads).reshape(shape)[warps] for value in values]
        lanes = np.stack(shown, axis=-1).reshape(len(warps), WARP_SIZE, count, -1).swapaxes(1, 2)
        cores = np.empty((len(warps), count, CORE_ROWS, CORE_ROWS), lanes.dtype)
        cores[..., rows, columns] = lanes
        firsts = np.broadcast_to(offset, self.warps.threads).reshape(shape)[warps][:, : CORE_ROWS * count]
        firsts = firsts.astype(np.int64)
        if (firsts % CORE_ROWS).any():
            raise refused(f"'{op.name}': a row of '{memory.name}' does not start at a multiple of 16 bytes", op)
        named = warps.reshape(-1, 1, 1) * WARP_SIZE + np.arange(CORE_ROWS * count)[None, :, None]
        users = Users(named, named // self.warps.block_threads)
        places = firsts[..., None] + np.arange(CORE_ROWS)
        memory.write(places, cores.reshape(places.shape), users, None, op)

    def load(self, op: mma.LdmatrixOp, index: Array, memory: KernelMemory, offset: Array, active: Mask | None) -> None:
        """Rows that lanes name, spread over the lanes of their warp.

        Raises `EvaluationError` for a row that starts at no multiple of 16 bytes.
        """
        tiles, warps = self.tiles[op.tiles], self.warps.active_warps(active, op)
        chosen = self._pick(tiles, index, warps, op, op.count)
        matrices, width = op.matrices.value.data, 16 // memory.data.dtype.itemsize
        lanes = np.broadcast_to(offset, self.warps.threads).reshape(self.warps.warps, WARP_SIZE)
        firsts = lanes[warps][:, : CORE_ROWS * matrices].astype(np.int64)
        if (firsts % width).any():
            raise refused(
                f"'{op.name}': a row at element {int(firsts[firsts % width != 0][0])} of '{memory.name}' does not "
                "start at a multiple of 16 bytes",
                op,
            )
        users = Users(
            self.warps.threads + warps.reshape(-1, 1, 1),
            warps.reshape(-1, 1, 1) * WARP_SIZE // self.warps.block_threads,
        )
        rows = memory.read(firsts[..., None] + np.arange(width), users, None, op)
        if tiles.record.element == "u8":
            rows = rows.view(np.uint8)
        if tiles.record.element == "tf32":
            rows = cut_to_tf32(rows) if op.cut is not None else rounded_to_tf32(rows)
        cores = rows.reshape(len(warps), matrices, CORE_ROWS, width)
        if op.sorts:
            cores = _sorted_bytes(cores)
        elif op.transposed is not None:
            cores = cores.swapaxes(-1, -2)
        # Of each matrix, lane l holds the l mod 4th of four parts of row l / 4.
        spread = cores.reshape(len(warps), matrices, WARP_SIZE, width // 4)
        words = tiles.record.words
        for position in range(op.count):
            part = spread[:, position * words : (position + 1) * words]
            tiles.data[warps, chosen + position] = part.swapaxes(1, 2).reshape(len(warps), WARP_SIZE, -1)
            tiles.defined[warps, chosen + position] = True

    def multiply(self, op: mma.SyncOp, indices: tuple[Array, Array, Array], active: Mask | None) -> None:
        warps = self.warps.active_warps(active, op)
        parts = [self.tiles[value] for value in (op.accumulator, op.a, op.b)]
        places = [self._pick(part, index, warps, op) for part, index in zip(parts, indices, strict=True)]
        sums, left, right = (
            matrices_of(self._values(part, warps, place, op), part.record.layout)
            for part, place in zip(parts, places, strict=True)
        )
        wide = np.int32 if sums.dtype.kind == "i" else np.float32
        total = (sums.astype(wide) + left.astype(wide) @ right.astype(wide)).astype(sums.dtype)
        rows, columns = _places(parts[0].record.layout)
        parts[0].data[warps, places[0]] = total[..., rows, columns]

    def extract(self, op: mma.ExtractOp, index: Array, active: Mask | None) -> Array:
        """One element of each lane's, by thread."""
        tiles, warps = self.tiles[op.tiles], self.warps.active_warps(active, op)
        chosen = self._pick(tiles, index, warps, op)
        found = np.zeros((self.warps.warps, WARP_SIZE), tiles.data.dtype)
        found[warps] = self._values(tiles, warps, chosen, op)[..., op.element.value.data]
        return found.reshape(-1)

    def insert(self, op: mma.InsertOp, index: Array, value: Array, active: Mask | None) -> None:
        """One element of each lane's, from each thread's value."""
        tiles, warps = self.tiles[op.tiles], self.warps.active_warps(active, op)
        chosen = self._pick(tiles, index, warps, op)
        self._values(tiles, warps, chosen, op)
        lanes = np.broadcast_to(value, self.warps.threads).reshape(self.warps.warps, WARP_SIZE)
        tiles.data[warps, chosen, :, op.element.value.data] = lanes[warps]

    def pack(self, op: mma.PackOp, indices: tuple[Array, Array, Array], active: Mask | None) -> None:
        """Two tiles of sums side by side become one of A, which each lane has the elements of already."""
        sums, tiles, warps = self.tiles[op.sums], self.tiles[op.tiles], self.warps.active_warps(active, op)
        places = [self._pick(part, index, warps, op) for part, index in zip((sums, sums, tiles), indices, strict=True)]
        halves = [matrices_of(self._values(sums, warps, place, op), sums.record.layout) for place in places[:2]]
        whole = np.concatenate(halves, axis=-1)
        if tiles.record.element == "bf16":
            whole = from_bfloat16(to_bfloat16(whole))
        rows, columns = _places(tiles.record.layout)
        tiles.data[warps, places[2]] = whole[..., rows, columns].astype(tiles.data.dtype)
        tiles.defined[warps, places[2]] = True

    def shuffled(self, op: mma.ShuffleXorOp, value: Array, active: Mask | None) -> Array:
        """Each thread's value from another lane of its warp."""
        self.warps.active_warps(active, op)
        lanes = np.broadcast_to(value, self.warps.threads).reshape(self.warps.warps, WARP_SIZE)
        return lanes[:, np.arange(WARP_SIZE) ^ op.mask.value.data].reshape(-1)

    def _values(self, tiles: LaneTiles, warps: Integers, chosen: Integers, op: Operation) -> Array:
        if tiles.pending[warps, chosen].any():
            raise refused(f"'{op.name}' uses sums of a wgmma that no wgmma.wait_group has waited for", op)
        if not tiles.defined[warps, chosen].all():
            raise refused(f"'{op.name}' uses a tile of {tiles.record.role} that was neither filled nor loaded", op)
        return tiles.data[warps, chosen]
