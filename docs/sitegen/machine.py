"""What the page on the machine takes from the code: instruction words bit by bit, and worked examples of cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import vtac
from sitegen import tensor_machine
from sitegen.text import code, table
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.isa.fields import HALF_BITS, Field, Layout, instruction_layout, micro_op_layout
from vtac.targets.vta.isa.instructions import AluOpcode, Memory, Opcode
from vtac.targets.vta.rules import RULES

_CELL = 15
_ROW = 46
_COLOURS = ("#dbe9f6", "#fde8c8", "#dff0d8", "#f3dcea")


def inserts() -> Mapping[str, Callable[[], str]]:
    """What a page may ask for, by name."""
    return MappingProxyType(
        {
            "instruction words": instruction_words,
            "micro-op": micro_op_word,
            "numbers": numbers,
            "cycles": worked_cycles,
            "contention": contention,
            "strict rules": strict_rules,
            **tensor_machine.inserts(),
        }
    )


def instruction_words() -> str:
    """Each instruction's word: a drawing and a table."""
    config = vtac.VTAConfig()
    opcodes = {"LOAD and STORE": Opcode.LOAD, "GEMM": Opcode.GEMM, "ALU": Opcode.ALU, "FINISH": Opcode.FINISH}
    parts = [
        f"**{name}**\n\n{_word(instruction_layout(config, opcode), 2 * HALF_BITS, name)}"
        for name, opcode in opcodes.items()
    ]
    return "\n\n".join(parts)


def micro_op_word() -> str:
    """A micro-op's word."""
    return _word(micro_op_layout(vtac.VTAConfig()), 32, "a micro-op")


def numbers() -> str:
    """The numbers of opcodes, memories and ALU operations."""
    rows = [
        (kind, ", ".join(f"{code(one.name)} {one.value}" for one in values))
        for kind, values in (("opcode", Opcode), ("memory", Memory), ("ALU", AluOpcode))
    ]
    return table(("field", "numbers"), rows)


_WORKED = (
    ("a GEMM of 16 tiles", "gemm uops 0:1, for 1 (dst+0 src+0 wgt+0), for 16 (dst+1 src+1 wgt+0)", 16 + 7),
    ("a number added to 16 tiles", "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 16 (dst+1 src+1)", 16 + 7),
    ("16 tiles added to 16", "alu.add uops 0:1, for 1 (dst+0 src+0), for 16 (dst+1 src+1)", 2 * 16 + 7),
    ("16 input tiles in a row", "load.inp sram 0 <- dram 0x100, 1 x 16 stride 16", 7 + 16 + 16 * 2),
    ("the same in 16 rows", "load.inp sram 0 <- dram 0x100, 16 x 1 stride 2", 7 + 16 + 16 * 2),
    ("16 weight tiles", "load.wgt sram 0 <- dram 0x10, 1 x 16 stride 16", 7 + 16 + 16 * 32),
    ("16 result tiles in a row", "store.out sram 0 -> dram 0x100, 1 x 16 stride 16", 1 + 2 * (3 * 8 + 3)),
    ("the same in 16 rows", "store.out sram 0 -> dram 0x100, 16 x 1 stride 2", 1 + 16 * (3 + 3)),
)
"""What a line of assembly is, and what it takes by the formulas of the page."""


def worked_cycles() -> str:
    """Small streams and what the cycle model says of them. Raises `ValueError` where a formula says otherwise."""
    config = vtac.VTAConfig()
    rows: list[tuple[str, ...]] = []
    for title, line, formula in _WORKED:
        unit = {"load": "load", "store": "store"}.get(line.partition(".")[0], "compute")
        push, pop = {"load": (" push_next", " pop_prev"), "store": (" push_prev", " pop_next")}.get(unit, ("", ""))
        report = vtac.simulate_cycles(assemble(f"{line}{push}\nfinish{pop}\n", config), config)
        (span,) = (span for span in report.units[unit].spans if span.instruction == 0)
        if span.end - span.begin != formula:
            raise ValueError(f"{line}: {span.end - span.begin} cycles by the model, {formula} by the formula")
        rows.append((title, code(line), str(formula)))
    return table(("what", "instruction", "cycles"), rows)


_INP = "load.inp sram 0 <- dram 0x400, 1 x 64 stride 64 push_next"
_ACC = "load.acc sram 0 <- dram 0x100, 1 x 64 stride 64"
_SHARED = (
    ("the inputs by themselves", f"{_INP}\nload.uop nop pop_prev\nfinish\n", 7 + 16 + 128, 0),
    ("the accumulators by themselves", f"{_ACC}\nfinish\n", 0, 7 + 16 + 512),
    ("one after the other, by a token", f"{_INP}\n{_ACC} pop_prev\nfinish\n", 7 + 16 + 128, 7 + 16 + 512),
    ("side by side", f"{_INP}\n{_ACC}\nload.uop nop pop_prev\nfinish\n", 151 + 7 * 16, 535 + 8 * 16 - 1),
)
"""Two loads of 64 tiles, and what each takes by the text of the page."""


def contention() -> str:
    """Two loads on one bus, by the cycle model. Raises `ValueError` where the page says otherwise."""
    config = vtac.VTAConfig()
    rows: list[tuple[str, ...]] = []
    for title, stream, *said in _SHARED:
        report = vtac.simulate_cycles(assemble(stream, config), config)
        spans = [[one.end - one.begin for one in report.units[unit].spans] for unit in ("load", "compute")]
        taken = [max(spans[0], default=0), max(spans[1], default=0) if said[1] else 0]
        if taken != said:
            raise ValueError(f"{title}: {taken} cycles by the model, {said} by the page")
        rows.append((title, *(str(one or "") for one in taken), str(report.cycles)))
    return table(("loads", "of inputs", "of accumulators", "the whole run"), rows)


def strict_rules() -> str:
    """The rules that strict execution keeps and a simulator does not."""
    rows = [(code(kind), rule.rule, rule.source) for kind, rule in RULES.items() if "strict" in rule.judges]
    return table(("kind", "rule", "asked for by"), rows)


def _word(layout: Layout, bits: int, title: str) -> str:
    rows = [(_bits(field), code(field.name), str(field.width), _range(field)) for field in reversed(layout.fields)]
    names = ", ".join(f"{field.name} in {_bits(field)}" for field in layout.fields)
    picture = _picture(layout, bits, f"Bits of {title}: {names}")
    figure = f'<figure class="drawn">\n{picture}\n</figure>'
    return f"{figure}\n\n{table(('bits', 'field', 'width', 'values'), rows)}"


def _bits(field: Field) -> str:
    return f"{field.low + field.width - 1}:{field.low}" if field.width > 1 else str(field.low)


def _range(field: Field) -> str:
    return f"{field.minimum:,} to {field.maximum:,}"


def _picture(layout: Layout, bits: int, alternative: str) -> str:
    """32 bits a row, the highest row first, the highest bit left."""
    rows = bits // 32
    shapes: list[str] = []
    for at, field in enumerate(layout.fields):
        shapes += _boxes(field, rows, _COLOURS[at % len(_COLOURS)])
    for row in range(rows):
        top = (rows - 1 - row) * _ROW + 8
        low = row * 32
        shapes.append(f'<text x="2" y="{top + 18}" font-size="10">{low + 31}</text>')
        shapes.append(f'<text x="{32 * _CELL + 34}" y="{top + 18}" font-size="10">{low}</text>')
        shapes.append(
            f'<rect x="30" y="{top}" width="{32 * _CELL}" height="26" fill="none" stroke="#444" stroke-width="1"/>'
        )
    width, height = 32 * _CELL + 64, rows * _ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}"'
    return f'{head} font-family="sans-serif"><title>{alternative}</title>{"".join(shapes)}</svg>'


def _boxes(field: Field, rows: int, colour: str) -> list[str]:
    """A field as a box in each row that it reaches into, its name below where it is too narrow."""
    found: list[str] = []
    for row in range(field.low // 32, (field.low + field.width - 1) // 32 + 1):
        low = max(field.low, row * 32) - row * 32
        high = min(field.low + field.width - 1, row * 32 + 31) - row * 32
        left, width = 30 + (31 - high) * _CELL, (high - low + 1) * _CELL
        top = (rows - 1 - row) * _ROW + 8
        found.append(f'<rect x="{left}" y="{top}" width="{width}" height="26" fill="{colour}" stroke="#888"/>')
        if len(field.name) * 6 <= width:
            found.append(
                f'<text x="{left + width / 2}" y="{top + 17}" font-size="10" text-anchor="middle">{field.name}</text>'
            )
        else:
            name = "".join(word[0] for word in field.name.split("_")) if width < 4 * _CELL else field.name
            found.append(
                f'<text x="{left + width / 2}" y="{top + 17}" font-size="8" text-anchor="middle">{name}</text>'
            )
    return found
