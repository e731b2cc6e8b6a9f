"""Makes a host program of a kernel's text: only shared declarations are rewritten."""

from __future__ import annotations

import re
from functools import cache

from vtac.dialects.gpu_hardware import gpu_architectures
from vtac.errors import KernelTextError
from vtac.targets.cuda.cpu.clusters import check_cluster
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.emit.fragment_names import FRAGMENT_ELEMENTS
from vtac.targets.cuda.launch import LaunchRecord

_ALIGNMENT = r"(?:(?:alignas|__align__)\s*\([^()]*\)\s*)?"
_ALIGNED = re.compile(r"(?:alignas|__align__)\s*(\([^()]*\))")
_DECLARATION = re.compile(
    rf"{_ALIGNMENT}(?P<extern>\bextern\s+)?{_ALIGNMENT}\b__shared__\s+{_ALIGNMENT}"
    r"(?P<type>[A-Za-z_][\w:]*(?:\s+[A-Za-z_][\w:]*)*?(?:<[^;{}]*>)?)\s+"
    r"(?P<name>[A-Za-z_]\w*)\s*(?P<extents>(?:\[[^\]]*\]\s*)*);"
)
_RANK_LIMIT = 12  # of the runtime's shapes
_COMMENT_OR_STRING = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)


def host_program(text: str, launch: LaunchRecord) -> str:
    """C++ for the host compiler: the text, its shared arrays from the runtime, and a `main`.

    Lines keep their numbers. Raises `KernelTextError` for a shared declaration of more than
    one array, or with an initialiser, and for a text that lacks the launch record's kernel.
    """
    if not re.search(rf"\b{launch.kernel}\s*\(", text):
        raise KernelTextError(f"the text defines no kernel `{launch.kernel}`, which the launch record names")
    _check_kernel(text, launch)
    body = rewrite_shared(rewrite_asm(text))
    return (
        f'#include "vtac_cpu.h"\n{known_fragments()}#line 1 "kernel.cu"\n{body}\n#line 1 "main"\n'
        "int main(int argc, char** argv) {\n"
        f"    return vtac::run(argc, argv, vtac::Bound<&{launch.kernel}>::kernel());\n}}\n"
    )


def _check_kernel(text: str, launch: LaunchRecord) -> None:
    """What only a GPU would trip over: bounds of the launch, and tensor maps that are copied to local memory."""
    start = next(re.finditer(rf"\b{launch.kernel}\s*\(", text))
    place = f"kernel.cu:{text.count(chr(10), 0, start.start()) + 1}"
    bounds = re.findall(r"__launch_bounds__\s*\(\s*(\d+)\s*[,)]", text[: start.start()])
    if bounds and int(bounds[-1]) < launch.threads:
        raise KernelTextError(
            f"kernel `{launch.kernel}` is for at most {bounds[-1]} threads by its __launch_bounds__, the launch "
            f"record has {launch.threads}: a GPU refuses the launch",
            place,
        )
    check_cluster(text[: start.start()], launch, place)
    passed = text[start.end() : text.find("{", start.end())].count("__grid_constant__")
    if passed < len(launch.tensor_maps):
        raise KernelTextError(
            f"kernel `{launch.kernel}` takes {len(launch.tensor_maps)} tensor maps, and {passed} of its parameters are "
            "const __grid_constant__: others are copied to local memory, where bulk copies find no map",
            place,
        )


@cache
def known_fragments() -> str:
    """C++ that tells the header which fragments there are: those of the tensor cores that some architecture has."""
    operations = {operation for record in gpu_architectures().values() for operation in record.operations}
    fragments = {
        (role, operation.m, operation.n, operation.k, element)
        for operation in operations
        for role, element in (
            ("matrix_a", operation.operand),
            ("matrix_b", operation.operand),
            ("accumulator", operation.accumulator),
        )
    }
    known = (
        f"template <> inline constexpr bool exists<{role}, {m}, {n}, {k}, {FRAGMENT_ELEMENTS[element]}> = true;\n"
        for role, m, n, k, element in sorted(fragments)
    )
    return f"namespace nvcuda::wmma::detail {{\n{''.join(known)}}}\n"


def rewrite_shared(text: str) -> str:
    """Turn shared declarations into references to the runtime's guarded arrays.

    `__shared__ half a[8][16];` becomes a reference to an array of the same type and alignment, and
    `extern __shared__ half a[];` a pointer to the launch's dynamic shared memory.
    """
    blanked = _COMMENT_OR_STRING.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    pieces: list[str] = []
    position = 0
    for slot, match in enumerate(_DECLARATION.finditer(blanked)):
        pieces.append(_refuse_leftovers(text, blanked, position, match.start()))
        pieces.append(_replacement(match, slot))
        position = match.end()
    pieces.append(_refuse_leftovers(text, blanked, position, len(text)))
    return "".join(pieces)


def _refuse_leftovers(text: str, blanked: str, start: int, end: int) -> str:
    found = blanked.find("__shared__", start, end)
    if found >= 0:
        line = text.count("\n", 0, found) + 1
        declaration = text.splitlines()[line - 1].strip()
        raise KernelTextError(
            f"cannot run `{declaration}` on the CPU: a shared declaration must be of one array, without an "
            "initialiser, as in `__shared__ half tile[128][40];`",
            f"kernel.cu:{line}",
        )
    return text[start:end]


def _replacement(match: re.Match[str], slot: int) -> str:
    name, element = match["name"], " ".join(match["type"].split())
    newlines = "\n" * match.group().count("\n")
    if match["extern"]:
        aligned = _ALIGNED.search(match.group())
        storage = f'vtac::dynamic_shared("{name}", {aligned[1] if aligned else f"alignof({element})"})'
        return f"{element}* const {name} = reinterpret_cast<{element}*>({storage});{newlines}"
    kind = f"{name}_storage"
    aligned = _ALIGNED.search(match.group())
    alignment = aligned[1] if aligned else f"alignof({kind})"
    extents = " ".join(match["extents"].split())
    sizes = re.findall(r"\[([^\]]*)\]", extents)
    if not 0 < len(sizes) <= _RANK_LIMIT:
        sizes = [f"sizeof({kind}) / sizeof({element})"]
    shape = f"{{sizeof({element}), {len(sizes)}, {{{', '.join(sizes)}}}}}"
    storage = f'vtac::static_shared({slot}, sizeof({kind}), {alignment}, "{name}", {shape})'
    return f"typedef {element} {kind}{extents}; {kind}& {name} = *reinterpret_cast<{kind}*>({storage});{newlines}"
