"""Where the instructions of a program come from."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.targets.vta.programs.work import Work


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instruction comes from: the IR op, its source location and the kernel; empty when unknown.

    In a program of several kernels, `kernel` names the call that the instruction belongs to.
    """

    op: str
    location: str
    kernel: str = ""

    def __str__(self) -> str:
        """The origin in a listing: `conv1: vta.gemm net.mlir:12:8`."""
        layer = f"{self.kernel}: " if self.kernel else ""
        return f"{layer}{self.op} {self.location}".rstrip()


@dataclass(frozen=True, slots=True)
class StoredPart:
    """The part of a buffer that a kernel stores to: offset and strides in elements."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def end(self) -> int:
        """Behind the last element of the buffer that belongs to the part."""
        extents = zip(self.shape, self.strides, strict=True)
        return self.offset + 1 + sum((extent - 1) * stride for extent, stride in extents)


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One of the kernels that a program consists of: the buffers it loads from and stores to, by name.

    `work` is what its layer takes at least, where that is known. `parts` says for each of `writes` what of it the
    kernel stores, None for all; it is empty where that is so of each.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    work: Work | None = None
    parts: tuple[StoredPart | None, ...] = ()
