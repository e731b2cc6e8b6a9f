"""`vtac tune` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_interrupts import interrupted_command, said_of_interrupt
from tuned_programs import CONV, TWO_LAYERS

from vtac.tools.entry import TerminatedError
from vtac.tools.vtac import main


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "conv.mlir"
    path.write_text(CONV)
    return str(path)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["tune", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_a_search_and_what_it_leaves(program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, script, export = (str(tmp_path / name) for name in ("t.db", "s.mlir", "t.json"))
    common = [program, "--budget", "4", "--executor", "local:1", "--store", store]
    assert main(["tune", *common, "-o", script, "--export", export]) == 0
    out, err = capsys.readouterr()
    assert (err, "in cycles, after 4 tilings" in out) == ("", True)
    assert len(json.loads(Path(export).read_text())["outcomes"]) == 4
    assert (
        Path(script).read_text().startswith("// for VTA 1x16x16 (uop 32 KiB, inp 32 KiB, wgt 256 KiB, acc 128 KiB)\n")
    )
    assert main(["tune", *common, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert f"{found['cycles']:,} (" in out
    for given in (["--schedule", script], ["--schedules", store]):
        assert main(["run", program, "--json", *given]) == 0
        out, err = capsys.readouterr()
        assert (json.loads(out)["stats"]["cycles"], "has no tiling" in err) == (found["cycles"], False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    ("command", "option", "said"),
    [
        (["tune", "--budget", "1"], "-o", "after 1 tiling\n"),
        (["explore", "--where", "latency == 16"], "--csv", "one point, which can run conv"),
    ],
)
def test_a_result_is_printed_though_a_file_cannot_be_written(
    command: list[str], option: str, said: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, program, "--executor", "local:1", option, "/dev/full"]) == 1
    out, err = capsys.readouterr()
    assert (said in out, "No space left on device" in err, err.count("\n")) == (True, True, 1), err


def test_a_store_without_tilings_is_said(program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of sweeps has none, nor has one for another configuration."""
    store = str(tmp_path / "sweep.db")
    assert main(["explore", program, "--where", "latency == 16", "--executor", "local:1", "--store", store]) == 0
    capsys.readouterr()
    assert main(["run", program, "--schedules", store]) == 0
    assert f"note: {store} has no tiling for this configuration that this version" in capsys.readouterr().err
    other = tmp_path / "other.json"
    other.write_text('{"LOG_WGT_BUFF_SIZE": 17}')
    common = [program, "--executor", "local:1", "--store", store, "--config", str(other)]
    assert main(["tune", *common, "--budget", "1"]) == 0
    capsys.readouterr()
    assert main(["run", program, "--schedules", store]) == 0
    err = capsys.readouterr().err
    assert "every layer has its default schedule; vtac tune FILE --store" in err
    tiles = "VTA 1x16x16 (uop 32 KiB, inp 32 KiB, wgt {} KiB, acc 128 KiB)"
    assert f"counted, {tiles.format(256)}; it has some for {tiles.format(128)}: " in err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_layers_without_tilings_are_named(
    jobs: str, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two layers one is in the store; a program of one layer is named by its function."""
    both, first, store = (str(tmp_path / name) for name in ("two.mlir", "one.mlir", "tune.db"))
    Path(both).write_text(TWO_LAYERS)
    Path(first).write_text(TWO_LAYERS.replace("8x64", "24x64"))
    assert main(["tune", first, "--budget", "2", "--executor", "local:1", "--store", store]) == 0
    for source, named in ((first, ""), (both, "of b for"), (program, "of conv2d for")):
        capsys.readouterr()
        options = ["--schedules", store, "--jobs", jobs, "-o", str(tmp_path / "out")]
        assert main(["compile", source, *options]) == 0
        err = capsys.readouterr().err
        assert err.count("note:") == bool(named)
        assert f"note: {store} has no tiling {named}" in err if named else True


def test_the_front_is_drawn(program: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "front.svg"
    assert main(["tune", program, "--budget", "2", "--executor", "local:1", "--plot", str(picture)]) == 0
    assert "<svg" in picture.read_text()


def test_refusals(program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text"
    text.write_text("no database")
    for arguments, message in (
        (["--budget", "0"], "a budget of 0 finds nothing: give at least one tiling"),
        (["--retry-crashed"], "--retry-crashed is for what a store holds: add --store FILE.db"),
        (["--export", "x.json"], "--export writes what a store holds: add --store FILE.db"),
        (["-o", "-"], "-o -: stdout gets the table, or the object of --json; name a file, or ./- for one called -"),
        (["-o", program], f"-o would write over {program}, which is read; give it a file of its own"),
        (["-o", str(tmp_path)], "it is a directory; -o takes a file"),
        (["-o", "x.svg", "--plot", "x.svg"], "-o and --plot both write x.svg; give each a file of its own"),
        (["--executor", "local:0"], "'0' is no number of processes; 1 to 4,096 are possible"),
        (["--plot", "front.txt"], "'front.txt' names no format of a picture: give a name that ends in .png, .svg"),
        (["--store", str(text)], "it is no store, or damaged; give another file"),
        (["-o", str(tmp_path / "no" / "s.mlir")], "there is no directory"),
        (["--objective", "speed"], "argument --objective: invalid choice: 'speed'"),
    ):
        assert message in refusal(capsys, program, *arguments)
    assert main(["run", program, "--schedules", "none.db"]) == 1
    assert "there is no store 'none.db': fill one with vtac tune FILE --store none.db" in capsys.readouterr().err
    assert main(["run", program, "--target", "cuda", "--schedules", str(tmp_path / "t.db")]) == 1
    assert "--schedules is for VTA programs that are compiled here, not for cuda" in capsys.readouterr().err


def test_an_interrupt_says_what_is_kept(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, place = tmp_path / "kept.db", "vtac.targets.vta.tuning.entry.Campaign.run"
    assert interrupted_command("tune", program, store, place, monkeypatch) == 130
    assert capsys.readouterr() == ("", said_of_interrupt("outcomes", store))
    assert interrupted_command("tune", program, store, place, monkeypatch, TerminatedError) == 143
    assert capsys.readouterr() == ("", said_of_interrupt("outcomes", store).replace("interrupted", "terminated"))


NO_LAYER = """func.func @f(%x: tensor<4x3xf64>) -> tensor<4x3xf64> {
  %e = tensor.empty() : tensor<4x3xf64>
  %y = linalg.exp ins(%x : tensor<4x3xf64>) outs(%e : tensor<4x3xf64>) -> tensor<4x3xf64>
  func.return %y : tensor<4x3xf64>
}
"""


def test_nothing_to_tune_is_one_message_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, script = tmp_path / "f.mlir", tmp_path / "s.mlir"
    source.write_text(NO_LAYER)
    said = f"{source}: error: nothing to tune: nothing of it runs on the VTA; vtac run FILE says why"
    assert refusal(capsys, str(source), "-o", str(script)).strip() == said
    assert not script.exists()
    assert main(["tune", str(source), "--json"]) == 1
    out, err = capsys.readouterr()
    assert (json.loads(out)["error"]["message"], err.strip()) == (said.split("error: ")[1], said)


WIDE = """func.func @mm(%x: tensor<100x200xi8>, %w: tensor<200x300xi8>) -> tensor<100x300xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<100x300xi32>
  %f = linalg.fill ins(%z : i32) outs(%e : tensor<100x300xi32>) -> tensor<100x300xi32>
  %c = linalg.matmul ins(%x, %w : tensor<100x200xi8>, tensor<200x300xi8>) outs(%f : tensor<100x300xi32>)
      -> tensor<100x300xi32>
  func.return %c : tensor<100x300xi32>
}
"""
"""Its 19 blocks of 16 columns are 10 of 32: a tile of all of them does not fit those."""


def test_a_schedule_for_other_tiles_says_for_which_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, script, other = (tmp_path / name for name in ("wide.mlir", "s.mlir", "c.json"))
    source.write_text(WIDE)
    other.write_text('{"LOG_BLOCK": 5}')
    assert main(["tune", str(source), "--budget", "2", "--executor", "local:1", "-o", str(script)]) == 0
    assert main(["run", str(source), "--schedule", str(script)]) == 0
    assert f"note: {script} is for" not in capsys.readouterr().err
    assert main(["run", str(source), "--schedule", str(script), "--config", str(other)]) == 1
    memories = "(uop 32 KiB, inp 32 KiB, wgt 256 KiB, acc 128 KiB)"
    said = f"note: {script} is for VTA 1x16x16 {memories}, and this is compiled for VTA 1x32x32 {memories}\n"
    assert said in capsys.readouterr().err
