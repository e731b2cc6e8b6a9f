"""Interrupts and requests to end at marked moments: nothing is left behind, and the exit status says which it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from vtac.tools.vtac import main

KIND = "tensor<1x16x4x4xi8>"
TEXT = f"""func.func @f(%a: {KIND}, %b: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %s = linalg.max ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %s : {KIND}
}}
"""
MOMENTS = {
    "while it is read": "vtac.text.source.verify",
    "between passes": "vtac.pipelines.verify_result",
    "while the stream is written": "vtac.targets.vta.stream.build.issue",
    "before it runs": "vtac.targets.vta.programs.program.execute",
    "while a file is written": "vtac.files.whole.scratch_beside",
    "while a folder is written": "vtac.files.folders.scratch_beside",
}
ENDS = {signal.SIGINT: (130, "vtac: interrupted\n"), signal.SIGTERM: (143, "vtac: terminated\n")}


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    # A process that a shell started in its background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    (tmp_path / "net.mlir").write_text(TEXT)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


def _send_at(monkeypatch: pytest.MonkeyPatch, moment: str, number: signal.Signals) -> list[str]:
    """Let the signal come when a function is called; the list tells whether it was."""
    module, _, name = moment.rpartition(".")
    original: Callable[..., object] = getattr(__import__(module, fromlist=[name]), name)
    sent: list[str] = []

    def called(*args: object, **kwargs: object) -> object:
        if not sent:
            sent.append(moment)
            os.kill(os.getpid(), number)
        return original(*args, **kwargs)

    monkeypatch.setattr(moment, called)
    return sent


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_behind(
    folder: Path,
    moment: str,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, text = ENDS[number]
    sent = _send_at(monkeypatch, MOMENTS[moment], number)
    source, out, results = (str(folder / name) for name in ("net.mlir", "out", "results.npz"))
    arguments = ["run", source, "--outputs", results, "--dump", out]
    assert main(arguments) == status
    assert sent == [MOMENTS[moment]]
    assert capsys.readouterr().err.endswith(text)
    left = {path.name for path in folder.iterdir()}
    written = {"results.npz", "out"} if "folder" in moment else set[str]()
    assert left == {"net.mlir", *written}
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("number", ENDS)
def test_a_program_that_is_replaced_is_whole(
    folder: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = str(folder / "net.mlir"), str(folder / "out")
    assert main(["compile", source, "-o", out]) == 0
    _send_at(monkeypatch, "vtac.files.folders.scratch_beside", number)
    assert main(["compile", source, "-o", out]) == ENDS[number][0]
    assert main(["check", out]) == 0
    assert {path.name for path in folder.iterdir()} == {"net.mlir", "out"}
