"""Functions of the text itself around PTX of warpgroups: descriptors, products, fences, waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.wgmma.layouts import WgmmaInstruction

DESCRIPTOR = "matrix_descriptor"
"""The function that makes a descriptor of an address in shared memory."""
FENCE, COMMIT, PROXY_FENCE = "wgmma_fence", "wgmma_commit", "fence_proxy_async"
_WIDTH = 100
_KINDS = {"f32": ("float", "+f"), "s32": ("int", "+r"), "f16": ("unsigned", "+r")}
"""C++ type and constraint of an accumulator's registers."""


def descriptor_text() -> list[str]:
    """The function that puts a descriptor together, whose bits 0 to 13 are the address in units of 16 bytes."""
    return [
        "// Leading and stride in bytes; swizzle 1, 2, 3 for chunks that change places within 128, 64, 32.",
        f"__device__ __forceinline__ unsigned long long {DESCRIPTOR}(",
        "    unsigned address, unsigned long long leading, unsigned long long stride, unsigned long long swizzle) {",
        "  return (address & 0x3ffff) >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | swizzle << 62;",
        "}",
    ]


def plain_text(name: str, instruction: str) -> list[str]:
    """A function around an instruction without operands."""
    return [
        f"__device__ __forceinline__ void {name}() {{",
        f'  asm volatile("{instruction};" ::: "memory");',
        "}",
    ]


PLAIN = {
    FENCE: "wgmma.fence.sync.aligned",
    COMMIT: "wgmma.commit_group.sync.aligned",
    PROXY_FENCE: "fence.proxy.async.shared::cta",
}
"""The instructions of functions without operands."""


def wait_name(pending: int, registers: int) -> str:
    """The function that waits, for sums in so many registers or for none."""
    return f"wgmma_wait_{pending}_for_{registers}" if registers else f"wgmma_wait_{pending}"


def wait_text(pending: int, accumulator: str, registers: int, words: int) -> list[str]:
    """The function that waits until so many groups are under way; no use of the sums comes before it."""
    name, instruction = wait_name(pending, registers), f"wgmma.wait_group.sync.aligned {pending}"
    if not registers:
        return plain_text(name, instruction)
    kind, constraint = _KINDS[accumulator]
    return [
        f"__device__ __forceinline__ void {name}({kind} (*sums)[{words}]) {{",
        f'  asm volatile("{instruction};"',
        *_listed("               : ", (f'"{constraint}"({one})' for one in _registers(registers, words))),
        '               :: "memory");',
        "}",
    ]


def product_name(one: WgmmaInstruction, transposed: tuple[bool, bool]) -> str:
    """The function that begins a product."""
    majors = "".join("m" if by_columns else "k" for by_columns in transposed)
    return f"wgmma_{one.shape}_{one.operand}_{one.accumulator}" + (f"_{majors}" if any(transposed) else "")


def product_text(one: WgmmaInstruction, transposed: tuple[bool, bool], words: int) -> list[str]:
    """The function that begins a product of two descriptors; it adds, and takes operands as they are."""
    registers = one.tiles.registers
    kind, constraint = _KINDS[one.accumulator]
    types = f"{one.accumulator}.{one.operand}.{one.operand}"
    flags = ""
    if one.operand[0] in "fbt":
        flags = ", 1, 1"
    if ELEMENT_BYTES[one.operand] == 2:
        flags += "".join(f", {int(by_columns)}" for by_columns in transposed)
    numbers = [f"%{number}" for number in range(registers)]
    return [
        f"__device__ __forceinline__ void {product_name(one, transposed)}(",
        f"    {kind} (*sums)[{words}], unsigned long long left, unsigned long long right) {{",
        '  asm volatile("{\\n.reg .pred add;\\nsetp.ne.b32 add, 1, 0;\\n"',
        f'               "wgmma.mma_async.sync.aligned.{one.shape}.{types} "',
        *_quoted(numbers),
        f'               "%{registers}, %{registers + 1}, add{flags};\\n}}"',
        *_listed("               : ", (f'"{constraint}"({name})' for name in _registers(registers, words))),
        '               : "l"(left), "l"(right) : "memory");',
        "}",
    ]


def _registers(count: int, words: int) -> Iterator[str]:
    return (f"sums[{number // words}][{number % words}]" for number in range(count))


def _quoted(numbers: list[str]) -> list[str]:
    lines = _listed("{", numbers)
    texts = [line.strip() for line in lines]
    return [f'               "{text}{" " if at < len(texts) - 1 else "}, "}"' for at, text in enumerate(texts)]


def _listed(first: str, parts: Iterable[str]) -> list[str]:
    """Parts between commas, in lines under one another."""
    lines: list[str] = []
    line = first
    every = list(parts)
    for number, part in enumerate(every):
        text = part + (", " if number < len(every) - 1 else "")
        if len(line) + len(text) > _WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * len(first)
        line += text
    return [*lines, line]
