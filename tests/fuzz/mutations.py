"""Small changes of texts, on the level of tokens, so that most of what comes out still parses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from fuzz.reduction import smaller_numbers, without_chunks

_TOKEN = re.compile(
    r"\s+|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|[%#@!^][\w$.:-]+|-?\d+(?:\.\d+)?|[A-Za-z_][\w.$]*|.", re.DOTALL
)
_TRIES = (1, 8, 8, 8, 8)
_FEW_TOKENS = 200
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


def mutated_until(
    random: Random, text: str, count: int, is_read: Callable[[str], bool], *, numbers: bool = False
) -> str:
    """`mutated`, each change tried again where a reader does not take it, so that most texts get past it."""
    tries = random.choice(_TRIES)
    for _ in range(count):
        found = text
        for _ in range(tries):
            found = mutated(random, text, 1, numbers=numbers)
            if is_read(found):
                break
        text = found
    return text


def simpler_texts(text: str) -> Iterator[str]:
    """The text without some of its lines, then without some of its words, then with smaller numbers."""
    lines = text.split("\n")
    for kept in without_chunks(lines):
        yield "\n".join(kept)
    pieces = tokens(text)
    if len(pieces) <= _FEW_TOKENS:
        for kept in without_chunks(pieces):
            if tokens(shorter := "".join(kept)) == list(kept):  # no two words become one
                yield shorter
    for place, piece in enumerate(pieces):
        if piece.isdecimal() and len(piece) < 18:
            for smaller in smaller_numbers(int(piece)):
                yield "".join([*pieces[:place], str(smaller), *pieces[place + 1 :]])


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
    if random.random() < 0.35:
        _change_like_an_author(random, pieces, place)
        return
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


def _change_like_an_author(random: Random, pieces: list[str], place: int) -> None:
    """A change that keeps the form: a token the same everywhere, another operand, a line again under a new name."""
    piece, roll = pieces[place], random.random()
    if roll < 0.4:
        other = random.choice(_alike(pieces, piece))
        pieces[:] = [other if one == piece else one for one in pieces]
    elif roll < 0.7:
        values = [i for i, one in enumerate(pieces) if one[:1] == "%"]
        if len(values) > 1:
            first, second = random.sample(values, 2)
            pieces[first] = pieces[second]
    else:
        lines = "".join(pieces).split("\n")
        chosen = random.randrange(len(lines))
        defined = re.match(r"\s*(%[\w$.-]+) =", lines[chosen])
        if defined is not None:
            name = defined.group(1)
            lines.insert(chosen + 1, lines[chosen].replace(f"{name} =", f"{name}_again =", 1))
            pieces[:] = tokens("\n".join(lines))


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
