"""The reference of hardware records: fields of `VTAConfig` and `Timing`, and of GPU architectures."""

from __future__ import annotations

import re
from dataclasses import fields

from sitegen.text import code, page, prose, section, table
from vtac.dialects.gpu_hardware import SHAPES, GpuArchitecture, gpu_architectures
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.timing import MINIMA, Timing
from vtac.tools.commands.config import MEANINGS, RULES, facts, possible


def hardware_page() -> str:
    """The fields of each record, with the values they may have."""
    return page(
        "Hardware records",
        "A record refuses what contradicts itself, with the rule. `vtac config FILE` prints the same for a file.",
        section(2, "VTAConfig", _config()),
        section(2, "Timing", _timing()),
        section(2, "GPU architectures", _architectures()),
    )


def _config() -> str:
    config = VTAConfig()
    rows = [
        (code(name), code(name.lower()), str(value), possible(config, name) or "any text", MEANINGS[name])
        for name, value in config.to_fields().items()
    ]
    heads = ("field of vta_config.json", "of VTAConfig", "default", "possible", "values, and what it means")
    rules = "\n".join(f"* {rule}" for rule in RULES)
    follows = table(("of the default", "is"), [(name, f"{value:,}") for name, value in facts(config).items()])
    return (
        f"{prose(VTAConfig.__doc__ or '')}\n{table(heads, rows)}\n"
        f"*Possible* is what a field may be while the others keep their defaults. Together:\n\n{rules}\n\n{follows}"
    )


def _timing() -> str:
    meanings = dict(re.findall(r"`(\w+)`:\s+(.*?)(?=[.;]\s+`|\.\s*\Z)", _flat(Timing.__doc__ or "")))
    shared = {"alu_overhead": meanings.get("gemm_overhead", ""), "gemm_overhead": meanings.get("alu_overhead", "")}
    boards = (Timing.de10(), Timing.pynq())
    rows = [
        (
            code(one.name),
            *(str(getattr(board, one.name)) for board in boards),
            "any text" if one.name == "board" else f"at least {MINIMA.get(one.name, 1)}",
            meanings.get(one.name) or shared.get(one.name, "the name of the record"),
        )
        for one in fields(Timing)
    ]
    heads = ("field", "de10", "pynq", "possible", "meaning")
    return f"The constants of the cycle model, one record per board; times are cycles.\n\n{table(heads, rows)}"


def _flat(text: str) -> str:
    about, _, _ = text.partition("Raises")
    return " ".join(about.split()).replace("`gemm_overhead`, `alu_overhead`", "`alu_overhead`")


def _architectures() -> str:
    names = [one.name for one in fields(GpuArchitecture) if one.name not in ("name", "operations")]
    found = gpu_architectures().values()
    rows = [(code(name), *(str(getattr(one, name)) for one in found)) for name in names]
    shapes = [(code(kind), ", ".join("x".join(map(str, shape)) for shape in SHAPES[kind])) for kind in SHAPES]
    return "\n\n".join(
        [
            prose(GpuArchitecture.__doc__ or ""),
            table(("field", *(code(one.name) for one in found)), rows),
            "Fragments, m x n x k by the type of the operands:",
            table(("operands", "shapes"), shapes),
        ]
    )
