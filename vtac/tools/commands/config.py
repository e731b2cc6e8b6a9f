"""`vtac config`: a hardware configuration field by field, what follows from it, and where two differ."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import ConfigError
from vtac.tools.entry import ToolParser
from vtac.tools.output import report

_EXAMPLE = """example:
  vtac config
  vtac config vta_config.json
  vtac config small.json large.json

A file is a JSON object of fields, as {"LOG_BLOCK": 5, "LOG_WGT_BUFF_SIZE": 17}; those that it leaves out have their
defaults. What --json prints is a file for --config, too: it has them under "fields", beside what is possible and what
follows, which are not read.
"""

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "TARGET": "any string: what it is built for; pynq, ultra96 and zcu104 have the HLS design and its rules",
        "HW_VER": "any string: the version of the hardware; without effect here",
        "LOG_INP_WIDTH": "3: bits of an input and of an output, 8",
        "LOG_WGT_WIDTH": "3: bits of a weight, 8",
        "LOG_ACC_WIDTH": "5: bits of an accumulator, 32",
        "LOG_BATCH": "0 to 32: rows of an input or accumulator tile, BATCH",
        "LOG_BLOCK": "0 to 32: input and output channels of a tile, BLOCK",
        "LOG_UOP_BUFF_SIZE": "0 to 32: bytes of the memory of micro-ops",
        "LOG_INP_BUFF_SIZE": "0 to 32: bytes of the memory of inputs",
        "LOG_WGT_BUFF_SIZE": "0 to 32: bytes of the memory of weights",
        "LOG_ACC_BUFF_SIZE": "0 to 32: bytes of the accumulators; outputs have as many elements",
        "ENCODING": "derived: fields of instructions as wide as the memories ask for; chisel: as its decoder has them",
        "LOG_BLOCK_IN": "0 to 32: input channels of a tile, where they are others than LOG_BLOCK",
        "LOG_BLOCK_OUT": "0 to 32: output channels of a tile, where they are others than LOG_BLOCK",
        "QUEUE_DEPTH": "1 to 65536: instructions that the queue of a unit holds",
        "OUTSTANDING_BURSTS": "1 to 256: bursts that memory accepts before it delivers the first",
    }
)
"""The values of each field, and what it means; sizes are exponents of two."""

RULES = (
    "each memory holds one element at least, and INP, WGT and ACC 65,536 at most, which sram_base reaches",
    "indices of INP, WGT and ACC fit into a micro-op, and twice each into the factors of GEMM and ALU",
)
"""What the fields have to be together."""

LARGEST_LOG = 32
_MEMORIES: tuple[MemoryName, ...] = ("uop", "inp", "wgt", "acc", "out")


class Options(argparse.Namespace):
    """The options, typed."""

    files: list[str]
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prints one configuration, or compares two; returns 1 when they differ.

    Raises `ConfigError` for a file that is none.
    """
    parser = ToolParser("vtac config", "Prints, checks and compares hardware configurations.", _EXAMPLE)
    parser.add_argument("files", metavar="FILE", nargs="*", help="vta_config.json; none: the default, two: compare")
    parser.add_argument("--json", action="store_true", help="print an object instead of tables")
    options = Options()
    parser.parse(arguments, options)
    if len(options.files) > 2:
        parser.error(f"{len(options.files)} files; one is printed, two are compared")
    configs = [VTAConfig.from_json(path) for path in options.files] or [VTAConfig()]
    if len(configs) == 2:
        return _compare(configs[0], configs[1], as_json=options.json)
    report(_json(_record(configs[0])) if options.json else _page(configs[0]))
    return 0


def facts(config: VTAConfig) -> dict[str, int]:
    """What follows from a configuration, by name: of each memory, elements, bytes of one, and bits of an index."""
    found = {
        "BATCH": config.batch,
        "BLOCK_IN": config.block_in,
        "BLOCK_OUT": config.block_out,
        "multiplications per cycle": config.batch * config.block_in * config.block_out,
        "bytes on chip": sum(1 << size for name, size in _logs(config).items() if name.endswith("_BUFF_SIZE")),
        "alignment in DRAM": config.dram_alignment,
    }
    for memory in _MEMORIES:
        found[f"{memory.upper()} elements"] = config.capacity(memory)
        found[f"{memory.upper()} bytes of an element"] = config.element_bytes(memory)
        found[f"{memory.upper()} bits of an index"] = config.index_bits(memory)
    return found


def possible(config: VTAConfig, name: str) -> str:
    """The exponents that a field may have while the others stay as they are: `8-18`; nothing for another field."""
    fields = config.to_fields()
    if not name.startswith("LOG_"):
        return ""
    found = [value for value in range(LARGEST_LOG + 1) if _is_legal({**fields, name: value})]
    return f"{found[0]}-{found[-1]}" if len(found) > 1 else str(found[0])


def _is_legal(fields: Mapping[str, object]) -> bool:
    try:
        VTAConfig.from_fields(dict(fields))
    except ConfigError:
        return False
    return True


def _logs(config: VTAConfig) -> dict[str, int]:
    return {name: value for name, value in config.to_fields().items() if isinstance(value, int)}


def _record(config: VTAConfig) -> dict[str, object]:
    names = [name for name in MEANINGS if name.startswith("LOG_")]
    bounds = {name: possible(config, name) for name in names}
    return {"fields": config.to_fields(), "possible": bounds, "facts": facts(config)}


def _page(config: VTAConfig) -> str:
    default = VTAConfig().all_fields()
    heads = f"  {'field':<20}{'value':>8}{'default':>9}{'possible':>10}  values, and what it means"
    lines = [str(config), "", heads]
    for name, value in config.all_fields().items():
        values = f"{_shown(value):>8}{_shown(default[name]):>9}{_shown(possible(config, name)):>10}"
        lines.append(f"  {name:<20}{values}  {MEANINGS[name]}")
    lines += ["", "  possible: while the other fields stay as they are"]
    lines += ["", *(f"  {rule}" for rule in RULES), "", "  what follows"]
    lines += [f"  {name:<28}{value:>12,}" for name, value in facts(config).items()]
    return "\n".join(lines) + "\n"


def _shown(value: int | str) -> str:
    return str(value) if isinstance(value, int) else ascii(value)[1:-1]


def _compare(one: VTAConfig, other: VTAConfig, *, as_json: bool) -> int:
    first, second = ({**config.all_fields(), **facts(config)} for config in (one, other))
    changed = {name: (value, second[name]) for name, value in first.items() if value != second[name]}
    if as_json:
        report(_json({name: list(values) for name, values in changed.items()}))
    elif not changed:
        report(f"equal: {one}\n")
    else:
        rows = (f"  {name:<28}{_shown(old):>12} -> {_shown(new)}\n" for name, (old, new) in changed.items())
        report("".join((f"{one}\n{other}\n\n", *rows)))
    return 1 if changed else 0


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2) + "\n"
