"""Labels of points stand beside the points, the lines and one another."""

from __future__ import annotations

from vtac.report.page.labels import Labels, Place, along, around, beside

FRAME = (0.0, 0.0, 400.0, 200.0)
SPOTS = [(40.0, 20.0), (60.0, 120.0), (200.0, 150.0), (360.0, 155.0)]


def _placed(labels: Labels, name: str, spot: tuple[float, float]) -> Place | None:
    found = labels.place((name, place) for place in beside(*spot, name))
    return None if found is None else found[2]


def test_a_line_is_taken_wherever_it_runs() -> None:
    taken = along(SPOTS)
    assert any(left <= 282 and right >= 278 and top <= 152.5 <= bottom for left, top, right, bottom in taken)
    assert along(SPOTS[:1]) == []


def test_no_label_covers_a_line_a_point_or_a_label() -> None:
    labels = Labels(FRAME, [*around(SPOTS), *along(SPOTS)])
    before = len(labels.taken)
    names = [_placed(labels, f"POINT {number}", spot) for number, spot in enumerate(SPOTS)]
    assert all(names)
    boxes = labels.taken
    for number, one in enumerate(boxes[before:], before):
        for other in boxes[:number]:
            assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_a_label_without_room_is_left_out() -> None:
    assert _placed(Labels((0, 0, 50, 50), []), "A NAME THAT IS FAR TOO LONG", (25, 25)) is None


def test_two_labels_on_a_line_do_not_read_as_one() -> None:
    labels = Labels(FRAME, [])
    first = labels.place([("5", (50, 100, "start", 50.0))])
    touching, beside_it = ("6", (58, 100, "start", 58.0)), ("6", (64, 100, "start", 64.0))
    assert first is not None
    assert labels.place([touching]) is None
    assert labels.place([touching, beside_it]) == (1, *beside_it)
