"""`vtac config`: every field with its values, what follows, and where two configurations differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError
from vtac.tools.commands.config import MEANINGS, facts, possible
from vtac.tools.vtac import main


def written(path: Path, **fields: int) -> str:
    path.write_text(json.dumps(fields))
    return str(path)


def test_every_field_is_explained() -> None:
    assert list(MEANINGS) == list(VTAConfig().all_fields())


@pytest.mark.parametrize("name", [name for name in MEANINGS if name.startswith("LOG_")])
def test_values_beyond_those_stated_are_refused(name: str) -> None:
    low, _, high = MEANINGS[name].partition(":")[0].partition(" to ")
    for value in (int(low) - 1, int(high or low) + 1):
        with pytest.raises(ConfigError, match=name):
            VTAConfig.from_fields({name: value})


def test_the_default_is_printed_with_what_follows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "VTA 1x16x16 (uop 32 KiB, inp 32 KiB, wgt 256 KiB, acc 128 KiB)"
    assert "LOG_BLOCK 4 4 4-9 0 to 32: input and output channels of a tile, BLOCK" in lines
    for line in ("INP elements 2,048", "WGT bytes of an element 256", "ACC bits of an index 11"):
        assert line in lines


@pytest.mark.parametrize("name", [name for name in MEANINGS if name.startswith("LOG_")])
def test_possible_values_are_those_that_are_taken(name: str) -> None:
    fields = VTAConfig().to_fields()
    low, _, high = possible(VTAConfig(), name).partition("-")
    legal = range(int(low), int(high or low) + 1)
    for value in range(33):
        if value in legal:
            VTAConfig.from_fields({**fields, name: value})
            continue
        with pytest.raises(ConfigError):
            VTAConfig.from_fields({**fields, name: value})


def test_facts_are_those_of_the_record() -> None:
    config = VTAConfig(log_batch=2, log_block=3, log_wgt_buff_size=16, log_acc_buff_size=18)
    found = facts(config)
    assert found["multiplications per cycle"] == 4 * 8 * 8
    assert found["ACC elements"] * found["ACC bytes of an element"] == 1 << 18
    assert found["OUT elements"] == found["ACC elements"]


def test_two_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, same = written(tmp_path / "a.json", LOG_INP_BUFF_SIZE=14), written(tmp_path / "b.json")
    assert main(["config", same, small]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "LOG_INP_BUFF_SIZE 15 -> 14" in printed and "INP elements 2048 -> 1024" in printed
    assert "LOG_WGT_BUFF_SIZE" not in printed
    assert main(["config", same, same]) == 0
    assert capsys.readouterr().out.startswith("equal: VTA 1x16x16")


def test_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.json", LOG_BATCH=1)
    assert main(["config", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fields"]["LOG_BATCH"] == 1 and found["facts"]["BATCH"] == 2
    assert main(["config", path, written(tmp_path / "b.json"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["BATCH"] == [2, 1]


def test_what_is_no_configuration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.json", LOG_ACC_BUFF_SIZE=30)
    for words, message in (
        ([path], "LOG_ACC_BUFF_SIZE is 30"),
        ([str(tmp_path / "none.json")], "cannot read the configuration"),
        (["a", "b", "c"], "3 files; one is printed, two are compared"),
    ):
        assert main(["config", *words]) == 1
        printed = capsys.readouterr()
        assert printed.out == "" and message in printed.err


def test_what_it_prints_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, small = tmp_path / "vta_config.json", VTAConfig(log_block=5, log_wgt_buff_size=17, queue_depth=32)
    path.write_text(json.dumps(small.to_fields()))
    assert main(["config", str(path), "--json"]) == 0
    path.write_text(capsys.readouterr().out)
    assert VTAConfig.from_json(path) == small
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, "fields": {"LOG_BLOK": 5}}))
    with pytest.raises(ConfigError, match=r"unknown field LOG_BLOK; the fields are .*; did you mean LOG_BLOCK"):
        VTAConfig.from_json(path)
    path.write_text(json.dumps({**described, "LOG_BLOCK": 5}))
    with pytest.raises(ConfigError, match="unknown field facts"):
        VTAConfig.from_json(path)


def test_fields_that_do_not_go_together_name_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "c.json", LOG_INP_BUFF_SIZE=20)
    with pytest.raises(ConfigError, match=rf"^{path}: a micro-op needs dst .* 32 are available"):
        VTAConfig.from_json(path)
