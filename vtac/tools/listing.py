"""Assembly listings that say what each instruction touches, where it came from and which layer it is of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from vtac.errors import VtacError
from vtac.targets.vta.isa import WORD_BYTES, disassemble
from vtac.targets.vta.isa.decode import decode
from vtac.targets.vta.isa.instructions import Instruction, Load, Memory, Store
from vtac.targets.vta.machine.stream import dram_element_bytes
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import Buffer
from vtac.text.reports import suggestion


class RangeError(VtacError):
    """Instructions or layers that a program does not have."""

    kind = "range"


@dataclass(frozen=True)
class Extract:
    """Which instructions are shown: from `first` on, before `end`, those of a layer alone; None for all."""

    first: int | None = None
    end: int | None = None
    layer: str | None = None


def listing(program: Program, extract: Extract | None = None) -> str:
    """A program's instructions with comments, which `vtac asm` reads over. Raises `RangeError`.

    A load or store says the buffer and the byte in it where its rows begin, each instruction its operation and place
    in the source; a heading stands before each layer's.
    """
    chosen = _chosen(program, extract or Extract())
    first, end = (chosen[0], chosen[-1] + 1) if chosen else (0, 0)
    words = program.instructions[first * WORD_BYTES : end * WORD_BYTES]
    total = len(program.instructions) // WORD_BYTES
    lines = dict(enumerate(disassemble(words, program.config, first, total).splitlines(), first))
    instructions = dict(enumerate(decode(words, program.config), first))
    width = max((len(lines[at]) for at in chosen), default=0)
    shown: list[str] = []
    titles = {kernel.name: kernel.title for kernel in program.kernels}
    used = {kernel.name: (*kernel.reads, *kernel.writes) for kernel in program.kernels}
    layer = ""
    for at in chosen:
        origin = program.origins[at] if at < len(program.origins) else None
        if origin is not None and origin.kernel and origin.kernel != layer:
            layer = origin.kernel
            shown.append(f"# {titles.get(layer, layer)}")
        place = place_of(program, instructions[at], used.get("" if origin is None else origin.kernel, ()))
        comment = "  ".join(filter(None, (place, "" if origin is None else str(origin))))
        shown.append(f"{lines[at]:<{width}}  # {comment}".rstrip() if comment else lines[at])
    return "\n".join(shown) + "\n" if shown else ""


def place_of(program: Program, instruction: Instruction, used: Collection[str] = ()) -> str:
    """`data+512`: the buffer that a load or store begins in, and the byte; empty for what moves nothing.

    Of several buffers that share memory it is one of those that its kernel uses.
    """
    if not isinstance(instruction, Load | Store) or not instruction.y_size * instruction.x_size:
        return ""
    memory = instruction.memory if isinstance(instruction, Load) else Memory.OUT
    address = instruction.dram_base * dram_element_bytes(memory, program.config)
    buffer = buffer_at(program.buffers, address, used)
    return f"at 0x{address:x}" if buffer is None else f"{buffer.name}+{address - buffer.address}"


def buffer_at(buffers: Sequence[Buffer], address: int, used: Collection[str] = ()) -> Buffer | None:
    """The buffer that holds a byte of DRAM; of several that share memory one of `used`, else of the fewest bytes."""
    holding = [one for one in buffers if one.address <= address < one.address + one.nbytes]
    return min(holding, key=lambda one: (one.name not in used, one.nbytes), default=None)


def quoted(program: Program, positions: Sequence[int]) -> Iterator[str]:
    """Some instructions of a program as lines with their comments."""
    for at in positions:
        yield from listing(program, Extract(at, at + 1)).splitlines()


def plain(program: Program, extract: Extract) -> str:
    """The same instructions without comments."""
    if extract == Extract():
        return disassemble(program.instructions, program.config)
    lines = program.disassemble().splitlines()
    return "".join(f"{lines[at]}\n" for at in _chosen(program, extract))


def _chosen(program: Program, extract: Extract) -> list[int]:
    count = len(program.instructions) // 16
    first = extract.first or 0
    end = count if extract.end is None else extract.end
    if not 0 <= first <= end <= count:
        raise RangeError(f"instructions from {first} to {end}: the stream has 0 to {count}")
    chosen = range(first, end)
    if extract.layer is None:
        return list(chosen)
    held = {kernel.name: {kernel.name, *kernel.layers} for kernel in program.kernels}
    layers = [*dict.fromkeys(name for kernel in program.kernels for name in (kernel.name, *kernel.layers))]
    layers = layers or [*dict.fromkeys((program.name, *program.layers))]
    if extract.layer not in layers:
        hint = suggestion(extract.layer, layers) or f"; the layers are {', '.join(layers)}"
        raise RangeError(f"no layer '{extract.layer}' in '{program.name}'{hint}")
    if not program.kernels:
        return list(chosen)
    return [at for at in chosen if extract.layer in held.get(program.origins[at].kernel, ())]
