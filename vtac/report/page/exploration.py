"""A sweep over machines as one HTML page: its plots, its points, and what limits them."""

from __future__ import annotations

from typing import cast

from vtac.lazily import installed_version
from vtac.report.page.document import require_extra
from vtac.targets.vta.exploring.sweep import Point as MachinePoint
from vtac.targets.vta.exploring.sweep import Sweep as Exploration
from vtac.targets.vta.exploring.sweep import measure

_PAIRS = (("cycles", "sram_bytes"), ("cycles", "energy"), ("cycles", "area"))


def exploration_page(exploration: object) -> str:
    """The page. Raises `ToolMissingError` without the extra `report`."""
    require_extra()
    from vtac.report.page.sweep import Point, Sweep, sweep_section
    from vtac.report.page.templating import SCRIPTS, STYLES, render, static

    found = cast(Exploration, exploration)
    title = " and ".join(found.networks)
    sections = [
        sweep_section(
            Sweep(
                f"{x} and {y.replace('_', ' ')}",
                x,
                y.replace("_", " "),
                [Point(one.name, measure(one, x), measure(one, y), _columns(one)) for one in found.good],
            ),
            number,
        )
        for number, (x, y) in enumerate(_PAIRS, 1)
    ]
    return render(
        "page.html",
        name=title,
        kind=f"{len(found):,} machines",
        sections=sections,
        version=installed_version("vtac"),
        styles=[static(sheet) for sheet in STYLES],
        scripts=[static(script) for script in SCRIPTS],
    )


def _columns(point: MachinePoint) -> dict[str, str]:
    return {
        "bytes": f"{point.bytes:,}",
        "multipliers": f"{point.multipliers:,}",
        "utilisation": f"{point.utilisation:.1%}",
        "uJ": f"{point.energy:,.1f}",
        "mm2": f"{point.area:.3f}",
        "limit": point.limit,
        "cycles by": "RTL" if point.is_proven else "formula",
    }
