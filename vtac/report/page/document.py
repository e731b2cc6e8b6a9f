"""`vtac.report`: a program as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.errors import ToolMissingError, VtacError
from vtac.files.whole import write_output
from vtac.lazily import installed_version, pip_install
from vtac.models.quantiser.program import QuantisedProgram
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.text.short import short_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vtac.report.page.quantisation import HasRecord
    from vtac.report.page.section import Section
    from vtac.report.page.sweep import Sweep

PACKAGES = ("jinja2", "pygments")
"""What the extra `report` installs."""


def report(
    program: object,
    path: str | Path | None = None,
    *,
    quantisation: HasRecord | Mapping[str, object] | None = None,
    sweeps: Sequence[Sweep] = (),
    more: Sequence[tuple[str, str]] = (),
) -> str:
    """A program as one HTML page, which needs no network and no server; written to `path` if one is given.

    A VTA program, or a CUDA program. `quantisation` is the report of the model that it was quantised from, or its
    record; a quantised program has its own. `sweeps` are points that were tried, `more` further sections, each a title
    and HTML that is trusted. Levels of IR and the steps of the schedule are shown for a
    program that was compiled in this process: a saved one has neither. Returns the page.

    Raises `ToolMissingError` without the extra `report`, `VtacError` for what is no program and for a path that
    cannot be written.
    """
    require_extra()
    page = _page(program, _further(program, quantisation, sweeps, more))
    if path is not None:
        write_page(page, path)
    return page


def require_extra() -> None:
    """Raises `ToolMissingError` where a package of the extra `report` is missing."""
    missing = [f"'{name}'" for name in PACKAGES if find_spec(name) is None]
    if missing:
        what = f"package{'s' if len(missing) > 1 else ''} {' and '.join(missing)}"
        raise ToolMissingError(f"writing an HTML report needs the {what}: {pip_install('report')}")


def write_page(page: str, path: str | Path) -> None:
    """Write a page, whole or not at all. Raises `VtacError`."""
    try:
        write_output(Path(path), page.encode())
    except OSError as error:
        raise VtacError(f"cannot write the report to {path}: {error.strerror or error}") from None


def _further(
    program: object,
    quantisation: HasRecord | Mapping[str, object] | None,
    sweeps: Sequence[Sweep],
    more: Sequence[tuple[str, str]],
) -> list[Section]:
    """The sections behind those of the program."""
    from vtac.report.page.quantisation import quantisation_section
    from vtac.report.page.section import Section
    from vtac.report.page.sweep import sweep_section

    if quantisation is None and isinstance(program, QuantisedProgram) and program.measure is not None:
        quantisation = program.measure()
    return [
        *([] if quantisation is None else [quantisation_section(quantisation)]),
        *(sweep_section(sweep, number) for number, sweep in enumerate(sweeps, 1)),
        *(Section(f"more-{number}", title, html) for number, (title, html) in enumerate(more, 1)),
    ]


def _page(program: object, further: Sequence[Section]) -> str:
    from vtac.report.page.templating import SCRIPTS, STYLES, render, static

    name, kind, sections = _described(program)
    return render(
        "page.html",
        name=name,
        kind=kind,
        sections=[*sections, *further],
        version=installed_version("vtac"),
        styles=[static(sheet) for sheet in STYLES],
        scripts=[static(script) for script in SCRIPTS],
    )


def _described(program: object) -> tuple[str, str, Sequence[Section]]:
    """The name of a program, what it is, and its sections. Raises `VtacError` for what is no program."""
    if isinstance(program, QuantisedProgram):
        return _described(program.program)
    if isinstance(program, Program | HostProgram):
        from vtac.report.page.vta import vta_sections

        return short_name(_name(program)), str(program.config), vta_sections(program)
    if isinstance(program, CudaProgram):
        from vtac.report.page.cuda import cuda_sections

        return program.launch.kernel, "CUDA kernel", cuda_sections(program)
    if isinstance(program, CudaNetwork):
        from vtac.report.page.cuda_network import cuda_network_sections

        return program.plan.name, "CUDA kernels", cuda_network_sections(program)
    raise VtacError(
        f"cannot report on a {type(program).__name__}: give a program, as vtac.compile and vtac.load_program return it"
    )


def _name(program: Program | HostProgram) -> str:
    if isinstance(program, Program):
        return program.name
    return program.host_function.sym_name.data
