"""Finds CUDA's own tools: NVRTC from its wheels or nvcc on PATH, and the disassembler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from vtac.errors import ToolMissingError
from vtac.lazily import pip_install

ToolkitKind = Literal["nvrtc", "nvcc"]
_HEADERS = ("mma.h", "cuda_fp16.h", "cuda_pipeline.h", "crt/mma.h")


@dataclass(frozen=True, slots=True)
class Toolkit:
    """A CUDA compiler: `location` is libnvrtc for `nvrtc`, the program for `nvcc`; `include` its headers."""

    kind: ToolkitKind
    location: Path
    include: Path | None
    version: str


@cache
def find_toolkit(kind: ToolkitKind | None = None) -> Toolkit:
    """The NVRTC wheels if installed, else nvcc on PATH; `ToolMissingError` says what was missing."""
    reasons: list[str] = []
    if kind in (None, "nvrtc"):
        found = _nvrtc()
        if isinstance(found, Toolkit):
            return found
        reasons.append(found)
    if kind in (None, "nvcc"):
        found = _nvcc()
        if isinstance(found, Toolkit):
            return found
        reasons.append(found)
    raise ToolMissingError(
        f"cannot compile CUDA text: {'; '.join(reasons)}; install the wheels with {pip_install('cuda')}, "
        "or put CUDA's nvcc (12.8 or newer) on PATH"
    )


def toolkit_unavailable_reason() -> str | None:
    """Why CUDA text cannot be compiled here, or None when it can."""
    try:
        find_toolkit()
    except ToolMissingError as error:
        return error.message
    return None


@cache
def find_disassembler() -> Path:
    """nvdisasm from its wheel, from PATH or beside nvcc; `ToolMissingError` when there is none."""
    wheels = [root / "bin" / "nvdisasm" for root in wheel_roots()]
    on_path = shutil.which("nvdisasm")
    compiler = shutil.which("nvcc")
    beside = [Path(compiler).resolve().parent / "nvdisasm"] if compiler else []
    for candidate in [*wheels, *([Path(on_path)] if on_path else []), *beside]:
        if candidate.is_file():
            return candidate
    raise ToolMissingError(
        "cannot disassemble a cubin: no nvdisasm in the wheel nvidia-cuda-nvdisasm or on PATH; "
        "install it with pip install nvidia-cuda-nvdisasm"
    )


def disassembler_unavailable_reason() -> str | None:
    """Why a cubin cannot be disassembled here, or None when it can."""
    try:
        find_disassembler()
    except ToolMissingError as error:
        return error.message
    return None


def wheel_roots() -> list[Path]:
    """Directories such as `site-packages/nvidia/cu13`, in which the CUDA wheels install, newest first."""
    spec = find_spec("nvidia")
    locations = list(spec.submodule_search_locations or ()) if spec else []
    return sorted((root for base in locations for root in Path(base).glob("cu[0-9]*")), reverse=True)


def load_nvrtc(location: Path) -> ctypes.CDLL:
    """libnvrtc, after its builtins, which it would otherwise look for on the system's path."""
    for builtins in sorted(location.parent.glob("libnvrtc-builtins.so*")):
        ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(location))


def _nvrtc() -> Toolkit | str:
    if not sys.platform.startswith("linux"):
        return "the NVRTC wheels are used on Linux only"
    for root in wheel_roots():
        libraries = sorted(root.glob("lib/libnvrtc.so.*"))
        if not libraries:
            continue
        missing = [name for name in _HEADERS if not (root / "include" / name).is_file()]
        if missing:
            return (
                f"NVRTC is in {root} without {missing[0]} (nvidia-cuda-runtime and nvidia-cuda-crt bring the headers)"
            )
        library = load_nvrtc(libraries[-1])
        major, minor = ctypes.c_int(), ctypes.c_int()
        library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return Toolkit("nvrtc", libraries[-1], root / "include", f"NVRTC {major.value}.{minor.value}")
    return "the wheel nvidia-cuda-nvrtc is not installed"


def _nvcc() -> Toolkit | str:
    program = shutil.which("nvcc")
    if program is None:
        return "nvcc is not on PATH"
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    release = [line for line in answer.stdout.splitlines() if "release" in line]
    if answer.returncode or not release:
        return f"{program} does not run"
    return Toolkit("nvcc", Path(program), None, f"nvcc {release[0].split('release')[1].split(',')[0].strip()}")
