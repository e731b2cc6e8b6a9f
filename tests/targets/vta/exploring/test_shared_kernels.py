"""Layers that are lowered once for several machines are on each what compilation gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from plain_programs import PlainConv

from vtac.dialects.hardware import VTAConfig
from vtac.preparation import prepare
from vtac.targets.vta.choosing import compile_with
from vtac.targets.vta.exploring import shared_kernels as module
from vtac.targets.vta.exploring.shared_kernels import SharedKernels, shared_kernels
from vtac.targets.vta.exploring.shared_tilings import SharedTilings, merged_tilings
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.target import VTA

TEXT = PlainConv().text()
LARGE = VTAConfig()
CONFIGS = [
    replace(LARGE, log_wgt_buff_size=17),
    replace(LARGE, log_acc_buff_size=16, log_inp_buff_size=14),
    replace(LARGE, queue_depth=64, outstanding_bursts=4),
    replace(LARGE, log_uop_buff_size=12),
]


def stream(config: VTAConfig, tilings: KnownTilings, kernels: SharedKernels | None) -> bytes:
    return compile_with(prepare(TEXT, VTA, config, None), tilings, kernels).stream.instructions


@pytest.fixture(scope="module")
def found() -> Mapping[str, str]:
    tilings = SharedTilings({})
    stream(LARGE, tilings, SharedKernels(None, tilings))
    assert tilings.used
    return tilings.used


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_streams_are_those_of_compilation(found: Mapping[str, str], config: VTAConfig) -> None:
    shared, own = (SharedTilings(merged_tilings([found])) for _ in range(2))
    assert stream(config, shared, SharedKernels(None, shared)) == stream(config, own, None)
    assert shared.used == own.used


def refuse(task: str, kept: object = None) -> NoReturn:
    raise AssertionError(f"lowered again: {task[:60]} with {kept}")


def test_what_another_machine_has_is_not_lowered_again(
    found: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vtac.targets.vta.schedules.known_kernels.lower_task", refuse)
    tilings = SharedTilings(merged_tilings([found]))
    for config in (LARGE, replace(LARGE, queue_depth=64), replace(LARGE, log_wgt_buff_size=17)):
        assert stream(config, tilings, SharedKernels(None, tilings))
    assert tilings.used == found


def in_another_process(found: Mapping[str, str], folder: Path) -> bytes:
    """The stream that one makes which has lowered nothing yet."""
    module._form.cache_clear()  # pyright: ignore[reportPrivateUsage]
    tilings = SharedTilings(merged_tilings([found]))
    return stream(LARGE, tilings, shared_kernels(tilings, str(folder)))


def test_what_another_process_has_lowered_is_not_lowered_again(
    found: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_another_process(found, tmp_path)
    monkeypatch.setattr("vtac.targets.vta.schedules.known_kernels.lower_task", refuse)
    assert in_another_process(found, tmp_path) == expected


def test_a_damaged_record_is_made_again(found: Mapping[str, str], tmp_path: Path) -> None:
    expected = in_another_process(found, tmp_path)
    (entry,) = (tmp_path / "kernels").iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole.replace(b"shr", b"max"))
    assert in_another_process(found, tmp_path) == expected
    assert entry.read_bytes() == whole


def test_a_folder_that_is_gone_is_no_hindrance(found: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert in_another_process(found, tmp_path / "file" / "none") == in_another_process(found, tmp_path)
