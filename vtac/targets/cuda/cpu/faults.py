"""What the runtime says of a kernel that failed, with the places of the kernel's text that it left open."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vtac.errors import KernelFault
from vtac.targets.cuda.launch import LaunchRecord

_FAULT = re.compile(r"^vtac-fault (?P<block>\d+) (?P<kind>\S+) (?P<words>.*)$", re.MULTILINE)
_PLACE = re.compile(r"@(line|pc|byte):(-?\w+)@")
_READERS_OF_LINES = ("addr2line", "llvm-addr2line")
_LONGEST_QUOTE = 100
_PART_OF_POOL = re.compile(
    r"^\s*(?P<type>[\w:][\w: ]*?)\s*\*\s*const (?P<name>\w+) = reinterpret_cast<[^>]*>\(\w+ \+ (?P<offset>\d+)\);"
    r"\s*// (?P<elements>\d+) elements$",
    re.MULTILINE,
)
_TYPE_BYTES = {"half": 2, "__nv_bfloat16": 2, "float": 4, "int": 4, "signed char": 1, "unsigned char": 1}


@dataclass(frozen=True, slots=True)
class Failure:
    """How a job ended that did not end well: its exit status, what it said, which order of threads it ran."""

    status: int
    errors: str
    order: int


def tells_fault(errors: str) -> bool:
    """Whether a job told of a fault: one whose other workers had to be ended may have."""
    return _FAULT.search(errors) is not None


def fault_of(failure: Failure, executable: Path, text: str, launch: LaunchRecord) -> KernelFault:
    """The fault of the first block that has one, with lines of the kernel's text in place of addresses."""
    faults = list(_FAULT.finditer(failure.errors))
    if not faults:
        said = failure.errors.strip()[-400:]
        return KernelFault("crash", f"kernel `{launch.kernel}` ended with status {failure.status}: {said}")
    _, kind, words = min(faults, key=lambda fault: int(fault["block"])).groups()
    told = _PLACE.sub(lambda place: _named(place[1], place[2], executable, text), words)
    return KernelFault(kind, f"kernel `{launch.kernel}`: {kind}: {told} (thread order {failure.order})")


def _named(sort: str, value: str, executable: Path, text: str) -> str:
    if sort == "byte":
        return _named_byte(int(value), text)
    line = int(value) if sort == "line" else _line_at(value, executable)
    lines = text.splitlines()
    if line is None or not 0 < line <= len(lines):
        return "a line that could not be found (is addr2line on PATH?)"
    return f"line {line} (`{_statement(lines[line - 1 :])}`)"


def _statement(lines: list[str]) -> str:
    """The statement that begins with some lines, or its beginning."""
    words = ""
    for line in lines:
        code = re.sub(r"\s*//.*", "", line).strip()
        words = f"{words} {code}".strip() if not words.endswith("(") else words + code
        if len(words) > _LONGEST_QUOTE or code.endswith((";", "{", "}")):
            break
    return words if len(words) <= _LONGEST_QUOTE else f"{words[:_LONGEST_QUOTE]}..."


def _line_at(address: str, executable: Path) -> int | None:
    """The line of the kernel's text behind an address of the executable, where the debugging data tell."""
    tool = next((path for name in _READERS_OF_LINES if (path := shutil.which(name))), None)
    if tool is None:
        return None
    answer = subprocess.run(
        [tool, "-i", "-e", str(executable), f"0x{address}"], capture_output=True, text=True, check=False
    )
    found = re.search(r"kernel\.cu:(\d+)", answer.stdout)
    return int(found[1]) if found else None


def _named_byte(byte: int, text: str) -> str:
    """A byte of the dynamic shared memory, by the array that the text lays there."""
    for part in _PART_OF_POOL.finditer(text):
        size = _TYPE_BYTES.get(part["type"])
        offset = byte - int(part["offset"])
        if size is not None and 0 <= offset < size * int(part["elements"]):
            return f"`{part['name']}[{offset // size}]`"
    return f"byte {byte} of the dynamic shared memory"
