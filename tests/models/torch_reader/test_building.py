"""Arguments of an exported program's nodes: whole numbers stay whole, and what is none is refused."""

from __future__ import annotations

import pytest

from vtac.errors import ModelError
from vtac.models.torch_reader.building import integer
from vtac.models.torch_reader.exported import Node


def node(**arguments: object) -> Node:
    return Node("softmax", "softmax_1", arguments, "head.softmax", (4, 8))


@pytest.mark.parametrize(("given", "found"), [(1, 1), (-1, -1), (2.0, 2), (2**63 - 1, 2**63 - 1), (None, 7)])
def test_whole_numbers_are_what_they_say(given: object, found: int) -> None:
    assert integer(node(dim=given), "dim", 7) == found


@pytest.mark.parametrize("given", [1.5, float("inf"), float("nan"), "1", (1,)])
def test_what_is_no_whole_number_is_refused(given: object) -> None:
    with pytest.raises(ModelError, match=r"node 'head.softmax' \(softmax\): its dim is .*; required: a whole number"):
        integer(node(dim=given), "dim", 7)
