"""What a message shows of a loop nest: what is marked, what is around it, and no more than a terminal holds."""

from __future__ import annotations

from vtac.text.nest_excerpts import nest_around


def _nest(*marked: int, depth: int = 5, statements: int = 40) -> str:
    """A function with loops one in the other and statements in the innermost; lines of these places are marked."""
    loops = [f"{'  ' * level}for i{level} in 0..4" for level in range(1, depth + 1)]
    body = [f"{'  ' * (depth + 1)}a{number}[i1] = b[i1]" for number in range(statements)]
    lines = ["f(a: 4xi32)", *loops, *body]
    return "\n".join(f"{line}  <-- here" if place in marked else line for place, line in enumerate(lines))


def test_a_short_nest_is_shown_whole() -> None:
    assert nest_around(_nest(3, statements=4)) == _nest(3, statements=4)
    assert nest_around("f(a: 4xi32)") == "f(a: 4xi32)"


def test_the_loops_around_the_place_and_its_neighbours_are_shown() -> None:
    lines = nest_around(_nest(30)).splitlines()
    assert lines[:6] == _nest().splitlines()[:6]
    assert lines[6] == "  ... 18 more lines"
    assert [line for line in lines if "here" in line] == ["            a24[i1] = b[i1]  <-- here"]
    assert "            a23[i1] = b[i1]" in lines and "            a25[i1] = b[i1]" in lines
    assert lines[-1] == "  ... 10 more lines"
    assert len(lines) == 20


def test_several_places_are_shown() -> None:
    lines = nest_around(_nest(8, 44)).splitlines()
    assert sum(line.endswith("  <-- here") for line in lines) == 2
    assert len(lines) <= 21


def test_more_places_than_lines_are_cut() -> None:
    lines = nest_around(_nest(*range(6, 46))).splitlines()
    assert sum(line.endswith("  <-- here") for line in lines) == 17
    assert lines[0] == "f(a: 4xi32)"


def test_nothing_marked_shows_the_beginning() -> None:
    lines = nest_around(_nest()).splitlines()
    assert lines[:18] == _nest().splitlines()[:18]
    assert lines[18:] == ["  ... 28 more lines"]


def test_long_lines_are_cut_and_keep_their_mark() -> None:
    lines = nest_around(f"f()\n  a[{'i + ' * 200}j] = b[]  <-- here\n  c[{'i + ' * 200}j] = d[]").splitlines()
    assert [len(line) for line in lines] == [3, 120, 110]
    assert lines[1].endswith("...  <-- here") and lines[2].endswith("...")
