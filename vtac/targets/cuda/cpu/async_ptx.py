"""Inline PTX of mbarriers, asynchronous copies, bulk copies of tensors and proxies as calls of the runtime's models."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vtac.errors import KernelTextError
from vtac.targets.cuda.cpu.wgmma_ptx import WGMMA_INSTRUCTIONS, WGMMA_MODELS

ASYNC_INSTRUCTIONS = (
    "mbarrier.init, .arrive, .expect_tx and .try_wait.parity, mapa, barrier.cluster, cp.async.ca and .cg, "
    "cp.async.bulk.tensor, .commit_group and .wait_group, fence.proxy.async, "
    f"fence.mbarrier_init, elect.sync, setmaxnreg, {WGMMA_INSTRUCTIONS}"
)
"""What has a model here, in words."""

_NUMBER = r"(%\d+|\d+)"
_PLACE = r"\[\s*(%\d+)\s*\]"
_SHARED = r"shared(?:::cta)?\.b64"


@dataclass(frozen=True, slots=True)
class _Operands:
    """The operands of one asm statement, by the names that its template gives them."""

    operands: Sequence[tuple[str, str]]
    line: str
    place: str

    def read(self, word: str) -> str:
        """The expression of an operand that is read, or a number that stands in the template."""
        if not word.startswith("%"):
            return word
        constraint, expression = self._operand(word)
        if constraint[0] == "=":
            raise KernelTextError(
                f"asm operand {word} is read, and its constraint '{constraint}' only writes", self.place
            )
        return f"({expression})"

    def written(self, word: str) -> str:
        """The place of an operand that is written."""
        constraint, expression = self._operand(word)
        if constraint[0] not in "=+":
            raise KernelTextError(
                f"asm operand {word} is written, and its constraint '{constraint}' only reads", self.place
            )
        return f"({expression})"

    def constraint(self, word: str) -> str:
        """The constraint of an operand."""
        return self._operand(word)[0]

    def _operand(self, word: str) -> tuple[str, str]:
        number = int(word[1:])
        if number >= len(self.operands):
            raise KernelTextError(f"asm operand {word} of {len(self.operands)}", self.place)
        return self.operands[number]


def _init(found: re.Match[str], of: _Operands) -> str:
    return f"::vtac::init_mbarrier({of.read(found[1])}, {of.read(found[2])}, {of.line});"


def _arrive(found: re.Match[str], of: _Operands) -> str:
    count = of.read(found[2]) if found[2] else "1"
    return f"::vtac::arrive_mbarrier({of.read(found[1])}, {count}, 0, {of.line});"


def _arrive_and_expect(found: re.Match[str], of: _Operands) -> str:
    return f"::vtac::arrive_mbarrier({of.read(found[1])}, 1, {of.read(found[2])}, {of.line});"


def _expect(found: re.Match[str], of: _Operands) -> str:
    return f"::vtac::expect_mbarrier({of.read(found[1])}, {of.read(found[2])}, {of.line});"


def _wait(found: re.Match[str], of: _Operands) -> str:
    scope = "true" if found[1] else "false"
    return f"ptx_{found[2]} = ::vtac::wait_mbarrier({of.read(found[3])}, {of.read(found[4])}, {scope}, {of.line});"


def _numbers_of(words: str, of: _Operands) -> list[str]:
    return [f"int({of.read(word.strip())})" for word in words.split(",")]


def _load_box(found: re.Match[str], of: _Operands) -> str:
    rank, is_multicast, target, source, coordinates, barrier, mask = found.groups()
    if bool(is_multicast) != bool(mask):
        raise KernelTextError("a bulk copy has .multicast::cluster and a mask of blocks, or neither", of.place)
    return _box(rank, _numbers_of(coordinates, of), [], (source, target, barrier, mask), of)


def _load_pixels(found: re.Match[str], of: _Operands) -> str:
    """Offsets are of 16 bits, so their operands have the constraint that says so."""
    rank, is_multicast, target, source, coordinates, barrier, offsets, mask = found.groups()
    if bool(is_multicast) != bool(mask):
        raise KernelTextError("a bulk copy has .multicast::cluster and a mask of blocks, or neither", of.place)
    for word in re.findall(r"%\d+", offsets):
        if of.constraint(word) != "h":
            raise KernelTextError(f'an offset is a register of 16 bits, "h", not "{of.constraint(word)}"', of.place)
    numbers = _numbers_of(offsets, of)
    if len(numbers) != int(rank) - 2:
        raise KernelTextError(
            f"cp.async.bulk.tensor.{rank}d of pixels takes {int(rank) - 2} offsets, not {len(numbers)}", of.place
        )
    return _box(rank, _numbers_of(coordinates, of), numbers, (source, target, barrier, mask), of)


def _box(
    rank: str, coordinates: list[str], offsets: list[str], words: tuple[str, str, str, str | None], of: _Operands
) -> str:
    if len(coordinates) != int(rank):
        raise KernelTextError(
            f"cp.async.bulk.tensor.{rank}d takes {rank} coordinates, not {len(coordinates)}", of.place
        )
    source, target, barrier = (of.read(word) for word in words[:3])
    mask = words[3]
    blocks = f"const unsigned ptx_mask = {of.read(mask)}; " if mask else ""
    return (
        f"{{ {blocks}::vtac::load_box((const void*){source}, {{{', '.join(coordinates)}}}, {{{', '.join(offsets)}}}, "
        f"{target}, {barrier}, {'&ptx_mask' if mask else 'nullptr'}, {of.line}); }}"
    )


def _map_address(found: re.Match[str], of: _Operands) -> str:
    return f"ptx_{found[1]} = ::vtac::map_address({of.read(found[2])}, {of.read(found[3])}, {of.line});"


def _arrive_remotely(found: re.Match[str], of: _Operands) -> str:
    place = f"ptx_{found[1]}" if not found[1].startswith("%") else of.read(found[1])
    count = of.read(found[2]) if found[2] else "1"
    return f"::vtac::arrive_mbarrier({place}, {count}, 0, {of.line});"


def _rank(found: re.Match[str], of: _Operands) -> str:
    return f"{of.written(found[1])} = ::vtac::cluster_rank();"


def _arrive_at_cluster(_: re.Match[str], of: _Operands) -> str:
    return f"::vtac::arrive_at_cluster({of.line});"


def _wait_for_cluster(_: re.Match[str], of: _Operands) -> str:
    return f"::vtac::wait_for_cluster({of.line});"


def _copy(found: re.Match[str], of: _Operands) -> str:
    cache, target, source, size, present = found.groups()
    if size not in (("16",) if cache == "g" else ("4", "8", "16")):
        raise KernelTextError(f"cp.async.c{cache} of {size} bytes: .cg copies 16, and .ca 4, 8 or 16", of.place)
    memory = f"const_cast<unsigned char*>(::vtac::shared_pointer({of.read(target)}, {size}))"
    absent = f"{size} - std::size_t({of.read(present)})"
    return f"::vtac::copy_async({memory}, (const void*){of.read(source)}, {size}, {absent}, {of.line});"


def _store_box(found: re.Match[str], of: _Operands) -> str:
    rank, target, coordinates, source = found.groups()
    numbers = _numbers_of(coordinates, of)
    if len(numbers) != int(rank):
        raise KernelTextError(f"cp.async.bulk.tensor.{rank}d takes {rank} coordinates, not {len(numbers)}", of.place)
    return f"::vtac::store_box((const void*){of.read(target)}, {{{', '.join(numbers)}}}, {of.read(source)}, {of.line});"


def _commit_stores(_: re.Match[str], of: _Operands) -> str:
    return "::vtac::commit_stores();"


def _wait_stores(found: re.Match[str], of: _Operands) -> str:
    reads = "true" if found[1] else "false"
    return f"::vtac::wait_for_stores({found[2]}, {reads});"


def _fence(_: re.Match[str], of: _Operands) -> str:
    return "::vtac::fence_proxies();"


def _fence_init(_: re.Match[str], of: _Operands) -> str:
    return "::vtac::fence_mbarriers();"


def _elect(found: re.Match[str], of: _Operands) -> str:
    return f"ptx_{found[1]} = ::vtac::is_elected();"


def _registers(found: re.Match[str], of: _Operands) -> str:
    more = "true" if found[1] == "inc" else "false"
    return f"::vtac::set_registers({of.read(found[2])}, {more}, {of.line});"


def _declare(found: re.Match[str], of: _Operands) -> str:
    kind = "bool" if found[1] == "pred" else "unsigned"
    return f"{kind} ptx_{found[2]} = 0;"


def _select(found: re.Match[str], of: _Operands) -> str:
    return f"{of.written(found[1])} = ptx_{found[4]} ? {found[2]} : {found[3]};"


_Model = Callable[["re.Match[str]", _Operands], str]
_MODELS: Mapping[re.Pattern[str], _Model] = MappingProxyType(
    {
        re.compile(pattern): model
        for pattern, model in (
            (rf"mbarrier\.init\.{_SHARED} {_PLACE}, {_NUMBER}", _init),
            (rf"mbarrier\.arrive\.{_SHARED} _, {_PLACE}(?:, {_NUMBER})?", _arrive),
            (rf"mbarrier\.arrive\.expect_tx\.{_SHARED} _, {_PLACE}, {_NUMBER}", _arrive_and_expect),
            (rf"mbarrier\.expect_tx\.relaxed\.cta\.{_SHARED} {_PLACE}, {_NUMBER}", _expect),
            (rf"mbarrier\.try_wait\.parity(\.acquire\.cluster)?\.{_SHARED} (\w+), {_PLACE}, {_NUMBER}", _wait),
            (
                r"cp\.async\.bulk\.tensor\.([1-5])d\.shared::cluster\.global\.tile\.mbarrier::complete_tx::bytes"
                rf"(\.multicast::cluster)? {_PLACE}, \[(%\d+), \{{([^{{}}]*)\}}\], {_PLACE}(?:, {_NUMBER})?",
                _load_box,
            ),
            (
                r"cp\.async\.bulk\.tensor\.([345])d\.shared::cluster\.global\.im2col\.mbarrier::complete_tx::bytes"
                rf"(\.multicast::cluster)? {_PLACE}, \[(%\d+), \{{([^{{}}]*)\}}\], {_PLACE}, \{{([^{{}}]*)\}}"
                rf"(?:, {_NUMBER})?",
                _load_pixels,
            ),
            (rf"mapa\.shared::cluster\.u32 (\w+), (%\d+), {_NUMBER}", _map_address),
            (
                rf"mbarrier\.arrive\.release\.cluster\.shared::cluster\.b64 _, \[(%?\w+)\](?:, {_NUMBER})?",
                _arrive_remotely,
            ),
            (r"mov\.u32 (%\d+), %%cluster_ctarank", _rank),
            (r"barrier\.cluster\.arrive(?:\.release)?(?:\.aligned)?", _arrive_at_cluster),
            (r"barrier\.cluster\.wait(?:\.acquire)?(?:\.aligned)?", _wait_for_cluster),
            (rf"cp\.async\.c([ag])\.shared\.global {_PLACE}, {_PLACE}, (\d+), {_NUMBER}", _copy),
            (
                r"cp\.async\.bulk\.tensor\.([1-5])d\.global\.shared::cta(?:\.tile)?\.bulk_group "
                rf"\[(%\d+), \{{([^{{}}]*)\}}\], {_PLACE}",
                _store_box,
            ),
            (r"cp\.async\.bulk\.commit_group", _commit_stores),
            (r"cp\.async\.bulk\.wait_group(\.read)? (\d+)", _wait_stores),
            (r"fence\.proxy\.async(?:\.shared::cta)?", _fence),
            (r"fence\.mbarrier_init\.release\.cluster", _fence_init),
            (r"elect\.sync _\|(\w+), (?:0xffffffff|-1)", _elect),
            (rf"setmaxnreg\.(inc|dec)\.sync\.aligned\.u32 {_NUMBER}", _registers),
            (r"\.reg \.(pred|[bu]32) (\w+)", _declare),
            (r"selp\.[bsu]32 (%\d+), (\d+), (\d+), (\w+)", _select),
        )
    }
)


def async_call(template: str, operands: Sequence[tuple[str, str]], line: str, place: str) -> str | None:
    """What the instructions of a template do, as C++; None where the first of them is of another kind.

    `line` is the variable that has the line of the text. Raises `KernelTextError` for an instruction among them that
    has no model.
    """
    words = " ".join(template.split())
    body = words[1:-1] if words.startswith("{") and words.endswith("}") else words
    instructions = [one.strip() for one in body.split(";") if one.strip()]
    of = _Operands(operands, line, place)
    calls: list[str] = []
    for instruction in instructions:
        found = next(
            (
                (m, model)
                for pattern, model in (*_MODELS.items(), *WGMMA_MODELS.items())
                if (m := pattern.fullmatch(instruction))
            ),
            None,
        )
        if found is None:
            if not calls:
                return None
            raise KernelTextError(f"cannot run `{instruction}` on the CPU beside other instructions", place)
        match, model = found
        calls.append(model(match, of))
    return f"{{ {' '.join(calls)} }}" if calls else None
