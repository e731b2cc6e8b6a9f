"""What the page on the machine says of tensor cores, from the code: fragments, banks, pipelines, occupancy, rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from sitegen.text import code, table
from vtac.dialects.gpu_hardware import SHAPES, gpu_architecture, gpu_architectures
from vtac.dialects.gpu_roofs import SHARED_BYTES, gpu_roof
from vtac.dialects.wmma.attributes import Fragment
from vtac.targets.cuda.cpu.kinds import KERNEL_RULES
from vtac.targets.cuda.schedules.footprint import used_bytes
from vtac.targets.cuda.schedules.roof import Estimate, estimate
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling

_PIECE = 16
"""Bytes that one thread of eight reads or writes of a row at a time."""
_PIECES = SHARED_BYTES // _PIECE
_ARCHITECTURE = gpu_architecture("sm_90")
_COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948", "#76b7b2", "#9c755f")


def inserts() -> Mapping[str, Callable[[], str]]:
    """What a page may ask for, by name."""
    return MappingProxyType(
        {
            "fragments": fragments,
            "banks": banks,
            "banks drawn": banks_drawn,
            "pipelines": pipelines,
            "occupancy": occupancy,
            "chips": chips,
            "kernel rules": kernel_rules,
        }
    )


def fragments() -> str:
    """Each kind of fragment, its elements, and its registers in each thread."""
    accumulators = {"f16": ("f32", "f16"), "bf16": ("f32",), "tf32": ("f32",), "s8": ("s32",), "u8": ("s32",)}
    rows: list[tuple[str, ...]] = []
    for operand, shapes in SHAPES.items():
        for m, n, k in shapes:
            sums = ", ".join(f"{kind} {_registers('accumulator', m, n, k, kind)}" for kind in accumulators[operand])
            parts = [str(_registers(role, m, n, k, operand)) for role in ("matrix_a", "matrix_b")]
            rows.append((operand, f"{m} x {n} x {k}", *parts, sums))
    return table(("operands", "m x n x k", "A (m x k)", "B (k x n)", "C, D (m x n)"), rows)


def _registers(role: str, m: int, n: int, k: int, element: str) -> int:
    layout = None if role == "accumulator" else "row_major"
    return Fragment(role, m, n, k, element, layout).registers


def meeting(pitch: int, row: int, apart: int = 1) -> int:
    """How many of eight threads meet in a bank: each takes 16 bytes, along rows of so many bytes at that pitch.

    Where a row ends, they go on in the one that is so many rows `apart`.
    """
    along = row // _PIECE
    starts = [thread // along * apart * pitch + thread % along * _PIECE for thread in range(_PIECES)]
    return max(Counter(start // _PIECE % _PIECES for start in starts).values())


_ROWS = ((32, 32), (32, 48), (64, 64), (64, 80), (128, 128), (128, 144))
"""Bytes of a row of an operand's tile in one step, and the pitch at which rows lie."""


def banks() -> str:
    """Rows of a tile, and how often the threads that read or write them meet in a bank.

    Raises `ValueError` where the model that ranks schedules says otherwise of a row that lies at an odd pitch.
    """
    rows: list[tuple[str, ...]] = []
    for row, pitch in _ROWS:
        apart = row // _PIECE if row < SHARED_BYTES else 1
        read, near, far = meeting(pitch, _PIECE), meeting(pitch, row), meeting(pitch, row, apart)
        if pitch // _PIECE % 2 and far != _modelled(row):
            raise ValueError(f"rows of {row} bytes: {far} threads meet by the page, {_modelled(row)} by the model")
        rows.append((f"{row // 2}", f"{pitch // 2}", _times(read), _times(near), f"{_times(far)}, {apart} apart"))
    heads = ("halves of a row", "pitch in halves", "fragments read", "copies, row by row", "copies, rows apart")
    return table(heads, rows)


def _times(meet: int) -> str:
    return "at full rate" if meet == 1 else f"in {meet} times the cycles"


def _modelled(row: int) -> int:
    """The factor by which the model takes writes of the left operand to be slower."""
    tiling = ProductTiling((16, 16, 16), 4, 4, 2, 2, row // 32)
    rows, columns, depth = tiling.block
    shared = estimate(tiling, _SIZE, _ARCHITECTURE).shared
    moved = shared * SHARED_BYTES / (2 * depth) - columns - 4 * 2 * 4 * 16
    return round(moved / rows)


def banks_drawn() -> str:
    """Two pitches as pictures: in which banks the eight rows of 16 bytes lie that are read at once."""
    drawn = [_drawing(pitch) for pitch in (32, 48)]
    return "\n\n".join(f'<figure class="drawn">\n{one}\n</figure>' for one in drawn)


def _drawing(pitch: int) -> str:
    left, width, height = 90, 50, 20
    words = (
        f"Banks of eight rows of 16 bytes that lie {pitch // 2} halves apart: {meeting(pitch, _PIECE)} in the same bank"
    )
    shapes = [f'<text x="4" y="16" font-size="11">pitch {pitch // 2}</text>']
    for at in range(_PIECES):
        x = left + at * width
        shapes.append(f'<text x="{x + 25}" y="16" font-size="10" text-anchor="middle">{at * 4}-{at * 4 + 3}</text>')
    for row in range(8):
        x, y = left + row * pitch // _PIECE % _PIECES * width, 24 + row * (height + 2)
        shapes.append(f'<text x="4" y="{y + 14}" font-size="10">row {row}</text>')
        shapes.append(f'<line x1="{left}" y1="{y + height}" x2="{left + 400}" y2="{y + height}" stroke="#ddd"/>')
        shapes.append(f'<rect x="{x}" y="{y}" width="{width - 2}" height="{height}" fill="{_COLOURS[row]}"/>')
    head = '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 500 206" width="500"'
    return f'{head} font-family="sans-serif"><title>{words}</title>{"".join(shapes)}</svg>'


_SIZE = ProductSize((4096, 4096, 4096), (16, 16, 16), 2, (8, 8))
_TILINGS = (
    ("64 x 64 x 32", ProductTiling((16, 16, 16), 2, 2, 2, 2, 2, 1)),
    ("the same", ProductTiling((16, 16, 16), 2, 2, 2, 2, 2, 3)),
    ("128 x 128 x 32", ProductTiling((16, 16, 16), 4, 4, 2, 2, 2, 2)),
    ("the same", ProductTiling((16, 16, 16), 4, 4, 2, 2, 2, 4)),
    ("256 x 128 x 64", ProductTiling((16, 16, 16), 4, 4, 4, 2, 4, 3)),
)


def pipelines() -> str:
    """Steps of a product of 4096 on sm_90 by the model that ranks schedules.

    Raises `ValueError` where a formula of the page says otherwise.
    """
    rows: list[tuple[str, ...]] = []
    for title, tiling in _TILINGS:
        found = estimate(tiling, _SIZE, _ARCHITECTURE)
        formula = _by_formula(tiling)
        if any(abs(one - getattr(found, name)) > 1e-6 for name, one in formula.items()):
            raise ValueError(f"{title}: {found} by the model, {formula} by the formulas")
        numbers = (found.tensor, found.shared, found.cache, found.issue, found.exposed)
        kept = used_bytes(tiling, _SIZE, _ARCHITECTURE)
        rows.append((title, str(tiling.stages), f"{kept:,}", *(f"{one:.0f}" for one in numbers), _bound(found)))
    heads = (
        "block and step",
        "stages",
        "shared bytes",
        "tensor",
        "shared",
        "L2",
        "issue",
        "waits",
        "bound, tensor cores busy",
    )
    return table(heads, rows)


def _bound(found: Estimate) -> str:
    slowest = max(found.tensor, found.shared, found.cache, found.issue)
    return f"{found.bound.replace('cache', 'L2')}, {found.tensor / slowest:.0%}"


def _by_formula(tiling: ProductTiling) -> dict[str, float]:
    roof = gpu_roof(_ARCHITECTURE)
    m, n, k = tiling.block
    warps = tiling.row_warps * tiling.column_warps
    fragments_read = warps * 16 * (tiling.row_tiles + tiling.column_tiles)
    return {
        "tensor": 2 * m * n * k / roof.tensor_operations,
        "shared": (m + n + fragments_read) * 2 * k / SHARED_BYTES,
        "cache": (m + n) * 2 * k / roof.l2_bytes,
    }


_CONVOLUTIONS = MappingProxyType({"seed's convolution": "convolution, seed", "fast convolution": "convolution, fast"})
"""Kernels of 256 threads, and what `docs/tensor-cores.md` calls them, which has what a compiler made of them."""
_PRODUCT = ("64 x 64 tile, three stages", 128, 64, 30_720)
"""A kernel of which only threads, registers and shared bytes are given."""


def _kernels() -> list[tuple[str, int, int, int]]:
    """Kernels with their threads, registers of each, and bytes of shared memory, on sm_90."""
    lines = (Path(__file__).parents[1] / "tensor-cores.md").read_text().splitlines()
    head = next(line for line in lines if line.startswith("| | | sm_"))
    column = [cell.strip() for cell in head.split("|")].index(_ARCHITECTURE.name)
    found: list[tuple[str, int, int, int]] = []
    for title, name in _CONVOLUTIONS.items():
        at = next(number for number, line in enumerate(lines) if line.startswith(f"| {name} | registers |"))
        registers, shared = (int(line.split("|")[column].replace(",", "")) for line in lines[at : at + 2])
        found.append((title, 256, registers, shared))
    return [*found, _PRODUCT]


def occupancy() -> str:
    """How many blocks a multiprocessor of sm_90 holds by threads, by registers, by shared memory, and by all."""
    rows: list[tuple[str, ...]] = []
    for title, threads, registers, shared in _kernels():
        limits = [
            _ARCHITECTURE.resident_blocks(threads, one, other)
            for one, other in ((0, 0), (registers, 0), (0, shared), (registers, shared))
        ]
        rows.append((title, str(threads), str(registers), f"{shared:,}", *map(str, limits)))
    heads = ("kernel", "threads", "registers", "shared bytes", "by threads", "by registers", "by shared", "blocks")
    return table(heads, rows)


def chips() -> str:
    """The chips whose roofs rank schedules, and where the numbers come from."""
    roofs = [(name, gpu_roof(record)) for name, record in gpu_architectures().items()]
    rows = [
        (code(name), one.chip, str(one.multiprocessors), f"{one.tensor_operations:,}", f"{one.l2_bytes:g}", one.source)
        for name, one in roofs
    ]
    return table(("architecture", "chip", "multiprocessors", "f16 operations", "L2 bytes", "source"), rows)


def kernel_rules() -> str:
    """What a kernel must keep, which runs on the CPU find broken."""
    shown = {kind: one for kind, one in KERNEL_RULES.items() if one.example}
    rows = [(code(kind), one.rule, code(one.example.partition("  //")[0])) for kind, one in shown.items()]
    return table(("kind", "rule", "breaks it"), rows)
