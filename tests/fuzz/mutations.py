"""Small changes of texts, on the level of tokens, so that most of what comes out still parses."""

from __future__ import annotations

import re
from random import Random

_TOKEN = re.compile(
    r"\s+|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|[%#@!^][\w$.:-]+|-?\d+(?:\.\d+)?|[A-Za-z_][\w.$]*|.", re.DOTALL
)
_EDGES = (7, 15, 31, 127, 255, 32767, 2**31 - 1, 2**32, 2**40, 2**63 - 1)
_NUMBERS = ("0", "1", "-1", "2", "3", *(str(n) for edge in _EDGES for n in (edge, edge + 1, -edge - 1)))
_TYPES = ("i1", "i8", "i16", "i32", "i64", "f16", "f32", "index", "tensor", "memref", "dense", "true")
_OPERATIONS = ("arith.addi", "arith.muli", "arith.maxsi", "arith.shrsi", "arith.trunci", "linalg.generic", "func.func")
_WORDS = (*_TYPES, *_OPERATIONS, "parallel", "reduction")


def tokens(text: str) -> list[str]:
    """The text in pieces; joined, they are the text."""
    return _TOKEN.findall(text)


def mutated(random: Random, text: str, count: int, *, numbers: bool = False) -> str:
    """The text after `count` changes of tokens; with `numbers`, of numbers alone."""
    pieces = tokens(text)
    for _ in range(count):
        if numbers:
            _nudge(random, pieces)
            continue
        solid = [i for i, piece in enumerate(pieces) if not piece.isspace() and not piece.startswith("//")]
        if not solid:
            break
        _change(random, pieces, random.choice(solid))
    return "".join(pieces)


def _nudge(random: Random, pieces: list[str]) -> None:
    """Numbers replaced so that the rest still fits: a constant, one number everywhere, or one alone."""
    places = [i for i, piece in enumerate(pieces) if _kind(piece) == "number" and "." not in piece]
    if not places:
        return
    roll, place = random.random(), random.choice(places)
    constants = [i for i in places if "arith.constant" in pieces[max(i - 3, 0) : i]]
    if roll < 0.4 and constants:
        pieces[random.choice(constants)] = random.choice(_NUMBERS)
        return
    old = pieces[place]
    new = str(max(int(old) + random.choice([-1, 1, 1, 2, 15]), 0))
    for i in places if roll < 0.85 else [place]:
        if pieces[i] == old:
            pieces[i] = new


def _change(random: Random, pieces: list[str], place: int) -> None:
    piece = pieces[place]
    roll = random.random()
    if re.fullmatch(r"-?\d+", piece) and roll < 0.8:
        near = str(int(piece) + random.choice([-1, 1, 1, 15])) if len(piece) < 18 else "0"
        pieces[place] = random.choice([*_NUMBERS, near, near, near])
    elif roll < 0.45:
        pieces[place] = random.choice(_alike(pieces, piece))
    elif roll < 0.6:
        other = random.choice([i for i, p in enumerate(pieces) if _kind(p) == _kind(piece)])
        pieces[place], pieces[other] = pieces[other], piece
    elif roll < 0.75:
        pieces[place] = ""
    elif roll < 0.85:
        pieces.insert(place, piece)
    elif roll < 0.95:
        _swap_lines(random, pieces)
    else:
        pieces[place] = random.choice([*_NUMBERS, *_WORDS, "(", ")", "<", ">", "{", "}", '"'])


def _alike(pieces: list[str], piece: str) -> list[str]:
    """Other tokens of the same kind in the text."""
    kind = _kind(piece)
    found = [p for p in pieces if _kind(p) == kind and p != piece]
    return [*found, *(_WORDS if kind == "word" else ())] or [piece]


def _kind(piece: str) -> str:
    if piece[:1] in '%#@!^"' and piece:
        return piece[0]
    if re.fullmatch(r"-?\d+(\.\d+)?", piece):
        return "number"
    return "word" if piece[:1].isalpha() else "sign"


def _swap_lines(random: Random, pieces: list[str]) -> None:
    lines = "".join(pieces).split("\n")
    if len(lines) > 2:
        first, second = random.sample(range(len(lines)), 2)
        if random.random() < 0.5:
            lines[first], lines[second] = lines[second], lines[first]
        else:
            lines.insert(second, lines[first])
    pieces[:] = tokens("\n".join(lines))
