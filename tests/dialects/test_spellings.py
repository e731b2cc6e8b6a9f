"""The words that type checkers know are those that directives take."""

from __future__ import annotations

from typing import get_args

from vtac.dialects.schedule.attributes import LoopKind, Tail
from vtac.dialects.schedule.spellings import KnownIntrinsic, KnownScope, TailName, ThreadName
from vtac.dialects.scopes import GLOBAL
from vtac.targets.cuda.target import CUDA
from vtac.targets.vta.target import VTA


def test_tails_and_threads() -> None:
    assert set(get_args(TailName)) == {tail.value for tail in Tail}
    assert set(get_args(ThreadName)) == {kind.value for kind in LoopKind if kind.is_bound}


def test_scopes_and_intrinsics() -> None:
    targets = (VTA, CUDA)
    assert set(get_args(KnownScope)) == {GLOBAL, *(scope for target in targets for scope in target.scopes)}
    single = {one.name for target in targets for one in target.intrinsics if not one.members}
    assert set(get_args(KnownIntrinsic)) == single
