"""What the machine code of a kernel does, counted from nvdisasm's listing."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from math import inf
from pathlib import Path

from vtac.errors import KernelTextError
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.gpu.toolkit import find_disassembler

_INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)((?:\.\w+)*)", re.MULTILINE)


_LABEL_OR_INSTRUCTION = re.compile(
    r"^(?P<label>\.L_x_\d+):|^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?(?P<opcode>[A-Z][A-Z0-9_]*)"
    r"(?:[^\n;]*?(?P<target>\.L_x_\d+))?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class SassCounts:
    """Static counts of a kernel's instructions by opcode, modifiers left out (`LDSM`, `HMMA`, ...)."""

    counts: tuple[tuple[str, int], ...]

    def count(self, *opcodes: str) -> int:
        """How many instructions have one of these opcodes."""
        return sum(number for opcode, number in self.counts if opcode in opcodes)

    @property
    def fragment_loads(self) -> int:
        """Loads of matrix fragments from shared memory."""
        return self.count("LDSM")

    @property
    def generic_accesses(self) -> int:
        """Loads and stores whose address space the compiler could not tell: a sign of lost shared arrays."""
        return self.count("LD", "ST")

    @property
    def local_accesses(self) -> int:
        """Accesses of spilled or dynamically indexed local variables."""
        return self.count("LDL", "STL")

    @property
    def tensor_operations(self) -> int:
        return self.count("HMMA", "IMMA", "QMMA", "OMMA", "BMMA", "DMMA", "HGMMA", "IGMMA", "QGMMA")

    @property
    def others_per_tensor_operation(self) -> float:
        """All other instructions for each tensor operation; infinite without any."""
        others = sum(number for _, number in self.counts) - self.tensor_operations
        return others / self.tensor_operations if self.tensor_operations else inf

    @property
    def asynchronous_copies(self) -> int:
        return self.count("LDGSTS")


def disassemble(compiled: CompiledKernel) -> str:
    """nvdisasm's listing of a compiled kernel; `ToolMissingError` without nvdisasm.

    Raises `KernelTextError` for a cubin that it cannot read.
    """
    program = find_disassembler()
    with tempfile.TemporaryDirectory(prefix="vtac-") as directory:
        cubin = Path(directory) / "kernel.cubin"
        cubin.write_bytes(compiled.cubin)
        answer = subprocess.run([str(program), str(cubin)], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise KernelTextError(
            f"nvdisasm cannot read the cubin of `{compiled.kernel}` for {compiled.architecture}: "
            f"{answer.stderr.strip()}"
        )
    return answer.stdout


def count_main_loop(listing: str) -> SassCounts:
    """Opcode counts of the shortest loop with tensor operations; of nothing where there is none."""
    labels: dict[str, int] = {}
    found: list[str] = []
    loops: list[list[str]] = []
    for match in _LABEL_OR_INSTRUCTION.finditer(listing):
        if match["label"]:
            labels[match["label"]] = len(found)
            continue
        found.append(match["opcode"])
        start = labels.get(match["target"] or "")
        if match["opcode"] == "BRA" and start is not None:
            loops.append(found[start:])
    counts = [SassCounts(tuple(sorted(Counter(loop).items()))) for loop in sorted(loops, key=len)]
    return next((one for one in counts if one.tensor_operations), SassCounts(()))


def count_instructions(listing: str) -> SassCounts:
    """Opcode counts of a listing from `disassemble`."""
    found = Counter(match[1] for match in _INSTRUCTION.finditer(listing))
    return SassCounts(tuple(sorted(found.items())))
