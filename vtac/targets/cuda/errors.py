"""What can go wrong between a kernel's text and its results."""

from __future__ import annotations

from vtac.errors import CompileError, VtacError


class ToolMissingError(VtacError):
    """A compiler, disassembler, package or device that is not here; the message says how to get it."""


class KernelTextError(CompileError):
    """Kernel text that a compiler refuses; the message carries the compiler's own."""


class LaunchError(VtacError):
    """A launch that a kernel or an architecture does not allow, or arrays that do not fit it."""


class KernelFault(VtacError):  # noqa: N818 - a fault of the program that ran, as on a device
    """A kernel that did something illegal when executed; `kind` names the rule it broke.

    Kinds: out-of-bounds, write-to-input, misaligned, pitch, divergence, warp-divergence,
    async-copy, shared-memory, signature, order-dependent, stack-overflow, timeout, crash, memory, limit.
    """

    kind: str

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
