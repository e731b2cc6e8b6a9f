"""Buffers that directives make have names of their own, and an empty script is a script."""

from __future__ import annotations

import vtac
from vtac.workloads.vadd import VectorAdd


def test_two_copies_in_one_scope_have_two_names() -> None:
    schedule = vtac.Schedule(VectorAdd().text())
    total = schedule.get_block("C_buf")
    first = schedule.cache_read(total, 0, "vta.acc")
    schedule.cache_read(first, 0, "vta.acc")
    assert schedule.get_buffer("A_vta_acc").name == "A_vta_acc"
    assert schedule.get_buffer("A_vta_acc_x2").name == "A_vta_acc_x2"


def test_a_script_without_directives_is_legal() -> None:
    layer = VectorAdd()
    module = vtac.parse(f"{layer.text()}\n{vtac.Schedule(layer.text())}")
    assert "schedule.script @vadd {" in str(module)
