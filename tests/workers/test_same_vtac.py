"""Workers elsewhere compile with the vtac that is here, or with none."""

from __future__ import annotations

import re

import pytest

from vtac.lazily import installed_version
from vtac.targets.vta.compiler_identity import model_identity
from vtac.workers.errors import WorkersError
from vtac.workers.places import check_same, this_vtac


def test_a_vtac_is_its_version_and_its_sources() -> None:
    assert this_vtac() == (installed_version("vtac"), model_identity())
    check_same({"tcp://a:1": this_vtac(), "tcp://b:2": this_vtac()}, this_vtac())


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (("0.1", "sources"), "the worker tcp://b:2 has vtac 0.1, here is 1.0: install the same version on all of them"),
        (("1.0", "edited"), "the worker tcp://b:2 has vtac 1.0 as well, but of other sources (edited, here sources)"),
    ],
)
def test_another_vtac_is_refused_by_the_worker_that_has_it(there: tuple[str, str], message: str) -> None:
    with pytest.raises(WorkersError, match=re.escape(message)):
        check_same({"tcp://a:1": ("1.0", "sources"), "tcp://b:2": there}, ("1.0", "sources"))
