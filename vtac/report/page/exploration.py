"""A sweep over machines as one HTML page: its plots, its points, and what limits them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from vtac.lazily import installed_version
from vtac.report.page.document import require_extra
from vtac.report.page.section import Section
from vtac.targets.vta.exploring.enumeration import said_of_illegal
from vtac.targets.vta.exploring.naming import short_names
from vtac.targets.vta.exploring.overtaken import overtaken, said_of_overtaken
from vtac.targets.vta.exploring.point import AXES, shown
from vtac.targets.vta.exploring.point import Point as MachinePoint
from vtac.targets.vta.exploring.sensitivity import Change
from vtac.targets.vta.exploring.sweep import Sweep as Exploration
from vtac.text.short import counted

_PAIRS = (("cycles", "sram_bytes"), ("cycles", "energy"), ("cycles", "area"))


def exploration_page(exploration: object, changes: Sequence[Change] = ()) -> str:
    """The page; of a pruned sweep with the front of cycles and SRAM alone. `changes` are a table: see `sensitivity`.

    Raises `ToolMissingError` without the extra `report`.
    """
    require_extra()
    from vtac.report.page.sweep import Point, Sweep, sweep_section
    from vtac.report.page.templating import SCRIPTS, STYLES, render, static

    found = cast(Exploration, exploration)
    title = found.title
    names, common = short_names([one.machine for one in found.good])
    sections = [
        sweep_section(
            Sweep(
                f"{AXES[x][0].capitalize()} and {AXES[y][0]}",
                AXES[x][0],
                AXES[y][0],
                [
                    Point(name, shown(one, x), shown(one, y), _columns(one, y))
                    for name, one in zip(names, found.good, strict=True)
                ],
                common,
            ),
            number,
        )
        for number, (x, y) in enumerate(_PAIRS[:1] if found.pruned else _PAIRS, 1)
    ]
    about = {
        "source": found.table.source,
        "count": len(found) - len(found.good),
        "failed": [(one.name, network.network, network.error) for one in found for network in one.failed],
        "networks": title,
        "pruned": found.pruned,
        "changes": changes,
        "overtaken": said_of_overtaken(slower) if (slower := overtaken(found.good)) else "",
        "illegal": said_of_illegal(found.illegal) if found.illegal else "",
    }
    sections.append(Section("machines", "What the figures are", render("machines.html", **about)))
    return render(
        "page.html",
        name=title,
        kind=counted(len(found), "machine"),
        sections=sections,
        version=installed_version("vtac"),
        styles=[static(sheet) for sheet in STYLES],
        scripts=[static(script) for script in SCRIPTS],
    )


def _columns(point: MachinePoint, y: str) -> dict[str, str]:
    """What a table says of a machine beside its cycles and the measure `y`."""
    columns = {
        "SRAM in KiB": f"{point.sram_bytes / 1024:,.0f}",
        "bytes of DRAM": f"{point.bytes:,}",
        "multipliers": f"{point.multipliers:,}",
        "utilisation in %": f"{100 * point.utilisation:.1f}",
        "energy in uJ": f"{point.energy:,.1f}",
        "area in mm2": f"{point.area:.3f}",
        "limit": point.limit,
        "cycles by": "RTL" if point.is_proven else "formula",
    }
    return {name: value for name, value in columns.items() if name != AXES[y][0]}
