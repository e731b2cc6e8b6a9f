"""Files that commands write are looked at before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtac.tools.entry import UsageError
from vtac.tools.output_paths import refuse_stdout, require_outputs
from vtac.tools.vtac import main


def test_files_that_can_be_written_pass(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    require_outputs(
        [("-o", str(tmp_path / "new")), ("--csv", str(tmp_path / "old")), ("--plot", None), ("--report", "-")],
        ["-", None, str(tmp_path / "in")],
    )


def test_files_that_cannot_are_refused(tmp_path: Path) -> None:
    given, link = tmp_path / "in.mlir", tmp_path / "link"
    given.write_text("")
    link.symlink_to(given)
    for path, message in (
        (tmp_path / "no" / "x", f"cannot write {tmp_path}/no/x: there is no directory '{tmp_path}/no'"),
        (tmp_path, f"cannot write {tmp_path}: it is a directory; -o takes a file"),
        (given, f"-o would write over {given}, which is read; give it a file of its own"),
        (link, f"-o would write over {given}, which is read; give it a file of its own"),
        (tmp_path / "x", f"--csv and -o both write {tmp_path}/x; give each a file of its own"),
    ):
        with pytest.raises(UsageError) as refusal:
            require_outputs([("--csv", str(tmp_path / "x")), ("-o", str(path))], [str(given)])
        assert str(refusal.value) == message


def test_a_device_that_is_read_may_be_written() -> None:
    require_outputs([("-o", "/dev/null")], ["/dev/null"])


def test_stdout_that_is_taken_is_refused() -> None:
    refuse_stdout([("-o", "./-"), ("--csv", None)], "stdout has the table")
    with pytest.raises(UsageError, match=r"--csv -: stdout has the table; name a file, or \./- for one called -"):
        refuse_stdout([("--csv", "-")], "stdout has the table")


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("tune", "-o"),
        ("tune", "--export"),
        ("explore", "--csv"),
        ("schedule", "-o"),
        ("disasm", "-o"),
        ("asm", "-o"),
        ("report", "-o"),
        ("run", "--outputs"),
        ("run", "--stats"),
        ("run", "--trace"),
    ],
)
def test_no_command_writes_over_what_it_reads(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "net.mlir"
    program.write_text("the only copy")
    more = ["--store", str(tmp_path / "s.db")] if option == "--export" else []
    assert main([command, str(program), option, str(program), *more]) == 1
    assert f"{option} would write over {program}, which is read" in capsys.readouterr().err
    assert program.read_text() == "the only copy"
