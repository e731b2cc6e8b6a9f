"""The host's C++ compiler, and a cache of what it has compiled."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from vtac.errors import KernelTextError, ToolMissingError

_COMPILERS = ("g++", "clang++", "c++")
_KERNEL_FLAGS = (
    "-std=c++17",
    "-O3",
    "-march=native",
    "-fno-pie",
    "-fno-strict-aliasing",
    "-fsanitize=bounds,alignment",
    "-fno-sanitize-recover=all",
    "-w",
)
# Line tables name the places of a race, where accesses of several lines have not been merged into one.
_TRACKING_FLAGS = ("-fsanitize=thread", "-g1")
_GCC_TRACKING_FLAGS = ("-fno-crossjumping", "-fno-tree-tail-merge", "-fno-code-hoisting")
_CLANG_TRACKING_FLAGS = ("-fno-vectorize", "-fno-slp-vectorize")  # it tells of no access beyond 16 bytes
_RUNTIME_FLAGS = ("-std=c++17", "-O2", "-fno-pie", "-U_FORTIFY_SOURCE", "-w")
_SOURCES = Path(str(files("vtac.targets.cuda.cpu")))


@dataclass(frozen=True, slots=True)
class HostCompiler:
    """A C++ compiler: its path and the first line of its version."""

    path: str
    version: str


@cache
def host_compiler() -> HostCompiler:
    """The compiler that `CXX` names, else g++ or clang++ on PATH; `ToolMissingError` when there is none."""
    chosen = os.environ.get("CXX")
    names = (chosen,) if chosen else _COMPILERS
    for name in names:
        path = shutil.which(name)
        if path is None:
            continue
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return HostCompiler(path, answer.stdout.splitlines()[0])
    raise ToolMissingError(
        f"cannot run CUDA text on the CPU: no C++ compiler found on PATH (looked for {', '.join(names)}); "
        "install g++ or clang++, or name one in CXX"
    )


def cpu_unavailable_reason() -> str | None:
    """Why CUDA text cannot be run on this machine's CPU, or None when it can."""
    if os.name != "posix":
        return "running CUDA text on the CPU needs a POSIX system (ucontext, mmap)"
    try:
        host_compiler()
    except ToolMissingError as error:
        return error.message
    return None


def compile_program(program: str, *, races: bool = True) -> Path:
    """The executable of a host program from `host_program`, compiled now or earlier.

    With `races` each access of memory tells the runtime of itself.

    Raises `KernelTextError` with the compiler's first errors.
    """
    compiler = host_compiler()
    flags = _kernel_flags(compiler, races)
    key = _digest(program, _headers_digest(), compiler.path, compiler.version, platform.node(), *flags)
    executable = cache_directory() / f"kernel-{key}"
    if executable.exists():
        return executable
    runtime = _runtime_object(compiler)
    with tempfile.TemporaryDirectory(dir=executable.parent) as scratch:
        source = Path(scratch) / "program.cpp"
        source.write_text(program, encoding="utf-8")
        built = Path(scratch) / "program"
        include = f"-I{_SOURCES / 'include'}"
        _compile([compiler.path, *flags, include, "-c", str(source), "-o", f"{built}.o"])
        _compile([compiler.path, f"{built}.o", str(runtime), "-no-pie", "-o", str(built)])
        built.replace(executable)
    return executable


def _kernel_flags(compiler: HostCompiler, races: bool) -> tuple[str, ...]:
    if not races:
        return _KERNEL_FLAGS
    special = _CLANG_TRACKING_FLAGS if "clang" in compiler.version else _GCC_TRACKING_FLAGS
    return (*_KERNEL_FLAGS, *_TRACKING_FLAGS, *special)


def cache_directory() -> Path:
    """Where compiled kernels are kept: under `XDG_CACHE_HOME` or ~/.cache, else the temporary directory.

    Raises `ToolMissingError` where neither can be written.
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    for root in (Path(base), Path(tempfile.gettempdir())):
        directory = root / "vtac" / "cpu"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(directory, os.W_OK):
            return directory
    raise ToolMissingError(f"cannot run CUDA text on the CPU: neither {base} nor the temporary directory is writable")


def _runtime_object(compiler: HostCompiler) -> Path:
    key = _digest(_headers_digest(), compiler.path, compiler.version, platform.machine(), *_RUNTIME_FLAGS)
    target = cache_directory() / f"runtime-{key}.o"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            built = Path(scratch) / "runtime.o"
            _compile([compiler.path, *_RUNTIME_FLAGS, "-c", str(_SOURCES / "runtime.cpp"), "-o", str(built)])
            built.replace(target)
    return target


def _compile(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return
    errors = [line for line in answer.stderr.splitlines() if re.search(r"error|undefined reference", line)]
    shown = "\n  ".join(errors[:6] or answer.stderr.splitlines()[:6])
    raise KernelTextError(f"the host compiler {command[0]} refuses the kernel's text:\n  {shown}")


@cache
def _headers_digest() -> str:
    sources = sorted([*_SOURCES.glob("*.cpp"), *_SOURCES.glob("*.h"), *_SOURCES.glob("include/*.h")])
    return _digest(*(path.read_text(encoding="utf-8") for path in sources))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
