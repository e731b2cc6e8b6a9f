"""Compiles CUDA text to PTX and a cubin without a GPU, and reports what the kernel uses."""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import KernelTextError, LaunchError
from vtac.targets.cuda.gpu.toolkit import Toolkit, find_toolkit, load_nvrtc
from vtac.targets.cuda.launch import LaunchRecord

_ENTRY = re.compile(r"Compiling entry function '(\w+)' for")
_SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")
_SERIALISED = re.compile(r"wgmma.mma_async instructions are serialized due to (.*?) in (?:the )?function '(\w+)'")
_MAX_THREADS = re.compile(r"\.maxntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?")


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """One kernel for one architecture: the artefacts, and what ptxas says of it.

    Registers are per thread; `static_shared_bytes` per block, without the launch's dynamic
    bytes; stack and spills in bytes per thread; `max_threads` from `__launch_bounds__`, 0 without. `serialised` is why
    products of warpgroups wait for each other, empty where they do not.
    """

    kernel: str
    architecture: str
    compiler: str
    registers: int
    static_shared_bytes: int
    stack_bytes: int
    spill_store_bytes: int
    spill_load_bytes: int
    max_threads: int
    ptx: str = field(repr=False)
    cubin: bytes = field(repr=False)
    serialised: str = ""

    @property
    def spills(self) -> bool:
        return self.spill_store_bytes > 0 or self.spill_load_bytes > 0

    def resident_blocks(self, launch: LaunchRecord) -> int:
        """Blocks of this launch that one multiprocessor holds at once; 0 when none fits."""
        shared = self.static_shared_bytes + launch.shared_bytes
        return gpu_architecture(self.architecture).resident_blocks(launch.threads, self.registers, shared)

    def check_launch(self, launch: LaunchRecord) -> None:
        """Raise `LaunchError` if the architecture cannot start this launch, naming the limit."""
        record = gpu_architecture(self.architecture)
        shared = self.static_shared_bytes + launch.shared_bytes
        what = f"kernel `{self.kernel}` on {self.architecture}"
        if self.max_threads and launch.threads > self.max_threads:
            raise LaunchError(
                f"{what}: the launch has {launch.threads} threads a block; __launch_bounds__ promises at most "
                f"{self.max_threads}"
            )
        if self.static_shared_bytes > record.static_shared_bytes_per_block or shared > record.shared_bytes_per_block:
            raise LaunchError(
                f"{what}: {self.static_shared_bytes} bytes of static and {launch.shared_bytes} of dynamic shared "
                f"memory; a block has {record.static_shared_bytes_per_block} static, {record.shared_bytes_per_block} "
                "together: use smaller tiles or fewer stages"
            )
        if self.resident_blocks(launch) == 0:
            raise LaunchError(
                f"{what}: {launch.threads} threads of {self.registers} registers do not fit the multiprocessor's "
                f"{record.registers_per_sm}: use fewer threads or smaller warp tiles"
            )


def compile_kernel(text: str, kernel: str, architecture: str, *, toolkit: Toolkit | None = None) -> CompiledKernel:
    """Compile CUDA C++ text for an architecture such as `sm_90`.

    Takes the NVRTC wheels if installed, else nvcc; neither needs a GPU. Raises
    `KernelTextError` with the compiler's errors, `ToolMissingError` when there is no compiler,
    `ConfigError` for an architecture that is not known.
    """
    (compiled,) = compile_kernels(text, [kernel], architecture, toolkit=toolkit)
    return compiled


def compile_kernels(
    text: str, kernels: Sequence[str], architecture: str, *, toolkit: Toolkit | None = None
) -> tuple[CompiledKernel, ...]:
    """Compile a text of several kernels at once, as `compile_kernel` does: they share one cubin."""
    gpu_architecture(architecture)
    chosen = toolkit or find_toolkit()
    compile_text = _compile_with_nvrtc if chosen.kind == "nvrtc" else _compile_with_nvcc
    ptx, cubin, log = compile_text(chosen, text, architecture)
    return tuple(_report(kernel, architecture, chosen.version, ptx, cubin, log) for kernel in kernels)


def compile_for(
    text: str, kernel: str, architectures: list[str], *, toolkit: Toolkit | None = None
) -> dict[str, CompiledKernel]:
    """`compile_kernel` for each architecture, by name in the given order."""
    return {name: compile_kernel(text, kernel, name, toolkit=toolkit) for name in architectures}


def _report(kernel: str, architecture: str, compiler: str, ptx: str, cubin: bytes, log: str) -> CompiledKernel:
    sections = _ENTRY.split(log)
    own = [text for name, text in zip(sections[1::2], sections[2::2], strict=True) if name == kernel]
    if not own:
        others = ", ".join(sections[1::2]) or "none"
        raise KernelTextError(f'the text has no kernel `{kernel}`; its extern "C" kernels are: {others}')
    spills, registers, shared = (pattern.search(own[0]) for pattern in (_SPILLS, _REGISTERS, _SHARED))
    if spills is None or registers is None:
        raise KernelTextError(f"{compiler} did not report on kernel `{kernel}`: {own[0].strip()[:300]}")
    stack, stores, loads = (int(group) for group in spills.groups())
    return CompiledKernel(
        kernel=kernel,
        architecture=architecture,
        compiler=compiler,
        registers=int(registers[1]),
        static_shared_bytes=int(shared[1]) if shared else 0,
        stack_bytes=stack,
        spill_store_bytes=stores,
        spill_load_bytes=loads,
        max_threads=_max_threads(ptx, kernel),
        ptx=ptx,
        cubin=cubin,
        serialised=next((reason for reason, name in _SERIALISED.findall(log) if name == kernel), ""),
    )


def _max_threads(ptx: str, kernel: str) -> int:
    entry = re.search(rf"\.entry\s+{kernel}\b[^{{]*", ptx)
    bounds = _MAX_THREADS.search(entry.group()) if entry else None
    if bounds is None:
        return 0
    x, y, z = (int(group or 1) for group in bounds.groups())
    return x * y * z


def _compile_with_nvrtc(toolkit: Toolkit, text: str, architecture: str) -> tuple[str, bytes, str]:
    library = load_nvrtc(toolkit.location)
    options = [
        f"--gpu-architecture={architecture}",
        "--std=c++17",
        "-default-device",
        "--ptxas-options=-v",
        f"--include-path={toolkit.include}",
    ]
    program = ctypes.c_void_p()
    source = ctypes.c_char_p(text.encode())
    name = ctypes.c_char_p(b"kernel.cu")
    _check(library, library.nvrtcCreateProgram(ctypes.byref(program), source, name, 0, None, None))
    try:
        encoded = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = int(library.nvrtcCompileProgram(program, len(options), encoded))
        log = _nvrtc_output(library, program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
        if status:
            raise _refusal(toolkit, architecture, log)
        ptx = _nvrtc_output(library, program, "PTX").rstrip(b"\0").decode()
        return ptx, _nvrtc_output(library, program, "CUBIN"), log
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _nvrtc_output(library: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(library, library[f"nvrtcGet{what}Size"](program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(library, library[f"nvrtcGet{what}"](program, buffer))
    return buffer.raw


def _check(library: ctypes.CDLL, status: int) -> None:
    if status:
        describe = library.nvrtcGetErrorString
        describe.restype = ctypes.c_char_p
        raise KernelTextError(f"NVRTC failed: {describe(status).decode()}")


def _compile_with_nvcc(toolkit: Toolkit, text: str, architecture: str) -> tuple[str, bytes, str]:
    virtual = architecture.replace("sm_", "compute_")
    with tempfile.TemporaryDirectory(prefix="vtac-") as directory:
        scratch = Path(directory)
        (scratch / "kernel.cu").write_text(text, encoding="utf-8")
        to_ptx = ["-std=c++17", "-ptx", "kernel.cu", "-o", "kernel.ptx", f"-arch={virtual}"]
        to_cubin = ["-cubin", "kernel.ptx", "-o", "kernel.cubin", f"-arch={architecture}", "-Xptxas", "-v"]
        log = ""
        for arguments in (to_ptx, to_cubin):
            command = [str(toolkit.location), *arguments]
            answer = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
            log = answer.stdout + answer.stderr
            if answer.returncode:
                raise _refusal(toolkit, architecture, log)
        return (scratch / "kernel.ptx").read_text(encoding="utf-8"), (scratch / "kernel.cubin").read_bytes(), log


def _refusal(toolkit: Toolkit, architecture: str, log: str) -> KernelTextError:
    errors = [line for line in log.splitlines() if "error" in line.lower()] or log.splitlines()
    shown = "\n  ".join(errors[:6])
    return KernelTextError(f"{toolkit.version} refuses the kernel's text for {architecture}:\n  {shown}")
