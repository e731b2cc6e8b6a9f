"""`vtac explore` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_interrupts import interrupted_command, said_of_interrupt
from plain_programs import PlainConv
from tuned_programs import CONV

from vtac.tools.entry import TerminatedError
from vtac.tools.vtac import main


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "net.mlir"
    path.write_text(PlainConv().text())
    return str(path)


def test_a_sweep_and_its_files(program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, table, page = (str(tmp_path / name) for name in ("s.db", "p.csv", "s.html"))
    common = ["explore", program, "--where", "latency in (16, 64)", "--executor", "local:1", "--store", store]
    assert main([*common, "--csv", table, "--report", page]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "1 of 2 points: any other takes no fewer cycles than one of these, and has no less SRAM; 0 cannot" in out
    assert "RTL" in out
    assert Path(table).read_text().count("\n") == 3
    assert "2 machines" in Path(page).read_text()
    assert main([*common, "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert [point["latency"] for point in points] == [16, 64]
    assert points[0]["cycles"] < points[1]["cycles"]


def test_refusals(program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["--where", "BLOK == 1"], "nothing is called 'BLOK'; did you mean 'BLOCK'"),
        (["--where", "blok == 16"], "nothing is called 'blok'; did you mean 'BLOCK'?"),
        (["--vary", "block"], "did you mean 'BLOCK'?"),
        (["--retry-crashed"], "--retry-crashed is for what a store holds: add --store FILE.db"),
        (["--where", "BLOCK == 3"], "no configuration is legal where BLOCK == 3"),
        (
            ["--where", "latency == 50"],
            "latency is tried at 0, 4, 8, 16, 32, 64, 128 and 200, not at 50; ask for other values",
        ),
        (["--where", "latency in (0, 50)"], "128 and 200, not at 50: leave it out, or give vtac.explore the machines"),
        (["--where", "16"], "--where '16' is a number, no condition: compare it, as in `BLOCK == 16`"),
        (["--plot", "x.svg", "--y", "cycles"], "--x and --y are both cycles: a picture shows two measures; choose"),
        (["--most", "0"], "--most 0 allows no configuration; at least 1 is required"),
        (["--csv", str(tmp_path / "no" / "x.csv")], "there is no directory"),
        (["--points", "5"], "--points is for --simulate-workers; --most bounds a sweep"),
        (["--vary", "BLOCK", "--vary", "BLOCK_IN"], "name BLOCK, or BLOCK_IN and BLOCK_OUT"),
        (["--csv", str(tmp_path)], "it is a directory; --csv takes a file"),
        (["--csv", "-"], "--csv -: stdout gets the table, or the object of --json; name a file, or ./- for one"),
        (["--store", program], f"--store would write over {program}, which is read; give it a file of its own"),
        (["--csv", "x", "--report", "x"], "--csv and --report both write x; give each a file of its own"),
        (["--x", "energy"], "--x and --y choose what a picture shows: add --plot FILE.svg"),
        (["--prune", "--plot", "x.svg", "--y", "area"], "--prune leaves out points by cycles and SRAM, which other"),
        (["--energy", str(tmp_path / "no.json")], "cannot read the table"),
        (["--executor", "cloud"], "'cloud' names no executor; expected 'local'"),
        (["--plot", "front.txt"], "'front.txt' names no format of a picture"),
    ):
        assert main(["explore", program, *arguments]) == 1
        out, err = capsys.readouterr()
        assert (out, message in err) == ("", True), err


def test_a_network_that_no_machine_can_run_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its points are written; where one can run it, there is a table and the others are in it."""
    path, table = tmp_path / "tiled.mlir", tmp_path / "points.csv"
    path.write_text(CONV)
    common = ["explore", str(path), "--executor", "local:1", "--where"]
    said = f"vtac: error: none of 2 points can run tiled: {path}:"
    assert main([*common, "BLOCK in (32, 64)", "--csv", str(table), "--sensitivity"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith(said), err.count("\n")) == ("", True, 1)
    assert table.read_text().count("is packed into tiles of 1x16") == 2
    assert main([*common, "BLOCK in (32, 64)", "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (len(found["points"]), f"vtac: error: {found['error']['message']}\n") == (2, err)
    assert main([*common, "BLOCK in (16, 32)"]) == 0
    out, err = capsys.readouterr()
    assert (err, "1 cannot run tiled" in out, f"tiled: {path}:" in out) == ("", True, True)


def test_networks_of_one_name_are_refused(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", program, program]) == 1
    assert "two networks are called net, as their files are: rename a file, or give vtac." in capsys.readouterr().err


def test_many_workers_are_simulated(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["explore", program, "--where", "latency in (16, 64)", "--executor", "local:1"]
    assert main([*common, "--simulate-workers", "1000", "--points", "100000"]) == 0
    out, err = capsys.readouterr()
    assert (err, out.startswith("100,000 points; a task takes ")) == ("", True)
    assert out.splitlines()[-1].split()[0] == "1,000"
    assert main([*common, "--simulate-workers", "2", "--own-tilings", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["points"], len(found["measured"]["tasks"])) == (2, 2)
    assert [one["workers"] for one in found["forecasts"]] == [1, 2]


def test_a_simulation_takes_the_times_of_a_store(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "s.db")
    common = ["explore", program, "--where", "latency in (16, 64)", "--executor", "local:1", "--store", store]
    simulate = ["--simulate-workers", "10", "--points", "1000"]
    assert main([*common, *simulate]) == 1
    assert f"there is no store '{store}': sweep with --store {store} first" in capsys.readouterr().err
    assert main([*common, "--where", "latency == 32"]) == 0
    capsys.readouterr()
    assert main([*common, *simulate]) == 1
    assert "knows no times of this sweep, which the same network, options and vtac make" in capsys.readouterr().err
    assert main(common) == 0
    capsys.readouterr()
    assert main([*common, *simulate]) == 0
    assert "CPU s (2 recorded by the store), " in capsys.readouterr().out


def test_a_simulation_has_no_points_to_write(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["explore", program, "--simulate-workers"]
    for more in (["--csv", "x"], ["--report", "x"], ["--energy", "x"], ["--sensitivity"], ["--prune"]):
        assert main([*common, "10", *more]) == 1
        assert (
            f"{more[0]} and --simulate-workers exclude each other: a simulation has no points"
            in capsys.readouterr().err
        )
    assert main([*common, "0"]) == 1
    assert "--simulate-workers and --points count from 1 on" in capsys.readouterr().err


def test_an_interrupt_says_what_is_kept(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, place = tmp_path / "kept.db", "vtac.targets.vta.exploring.exploration.Exploration.run"
    assert interrupted_command("explore", program, store, place, monkeypatch) == 130
    assert capsys.readouterr() == ("", said_of_interrupt("points", store))
    assert interrupted_command("explore", program, store, place, monkeypatch, TerminatedError) == 143
    assert capsys.readouterr() == ("", said_of_interrupt("points", store).replace("interrupted", "terminated"))
