"""Commands on the pages run, as they stand there or smaller; what runs elsewhere is listed with the place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from page_blocks import PAGES, all_blocks, blocks
from page_files import write_files
from page_shell import as_pattern, run_line, sessions, shell_lines
from run_programs import UnknownProgramError

from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason

COMMAND = re.compile(r"^(\$ )?(vtac|vtac-opt|python|make|pip) [\w'-]+", re.MULTILINE)
LANGUAGES = {"", "console", "json", "mlir", "pycon", "python", "sh", "text", "toml"}
SMALLER: Mapping[str, str] = MappingProxyType(
    {
        "examples/vta_conv2d.mlir": "examples/vta_vadd.mlir",
        "--budget 60s": "--budget 1",
        "--budget 500 --measure ssh://xilinx@pynq": "--budget 1 --executor local:1 --measure model:de10nano",
        "--budget 2000 --executor local:8": "--budget 1 --executor local:1",
        "fuzz linalg --seed 0 --count 200 --jobs 2": "fuzz text --count 1",
        "4x3x320x320": "4x3x32x32",
        "vtac explore": "vtac explore --executor local:1",
        "(16, 32) and sram_kib <= 512": "(16, 32)",
        " --sensitivity": "",
        "BLOCK == 16 and wgt_kib <= 256": "BLOCK == 16 and wgt_kib == 256",
        "wmma_conv2d.py": "wmma_conv2d.py --batch 32 --height 3 --width 3 --in-channels 32 --out-channels 64",
        "--m 512 --n 256": "--m 128 --n 128",
    }
)
"""What a command is run with instead, so that it is done soon."""
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "examples/resnet18.py": "tests/examples/test_network_examples.py runs it, for a small image",
        "examples/wmma_conv2d.mlir": "tests/examples/test_wmma_examples.py has the convolution, of fewer blocks",
        "benchmarks/tensor_cores.py": "needs a GPU, or minutes; tests/targets/cuda/gpu/test_measuring.py has its parts",
        "--reach": "takes hours; tests/fuzz/ has a few cases of it",
        "--guided": "needs atheris; tests/fuzz/ has it where that is installed",
        "openssl ": "needs openssl, and serves until it is stopped; tests/devices/test_agent_tls.py does the same",
        "--tls ": "serves until it is stopped; tests/devices/test_agent_tls.py does the same",
        "ssh://": "needs a board behind ssh; tests/devices/ has stand-ins for it",
        "tls://": "needs another machine; tests/devices/test_agent_tls.py does the same",
        "vtac fuzz --help": "prints the options, which tests/site/test_reference.py reads",
    }
)
"""Commands that are not run here, by a part of them, and why."""
DRAWINGS = {
    "README.md": 1,
    "architecture.md": 1,
    "default-schedules.md": 1,
    "machine.md": 4,
    "mma-dialect.md": 3,
    "tma-dialect.md": 1,
    "wgmma-dialect.md": 1,
}
"""How many blocks of text each page has that nothing prints. What a command prints stands in a session."""
FAULTS = {"cpu-execution.md": 1, "tma-dialect.md": 1}
"""Blocks that a run of a kernel prints; tests/site/test_kernel_faults.py compares them."""
NEEDS = {"exploring.md": "matplotlib", "models.md": "onnx", "reports.md": "jinja2", "README.md": "jinja2"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in all_blocks(page):
        place = f"{page.name}:{block.line}"
        assert block.language in LANGUAGES or block.language.startswith("{"), f"{place}: {block.language}"
        if block.language in ("", "text"):
            assert not COMMAND.search(block.text), f"{place} has commands: begin it with ```sh"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(NEEDS.get(page.name, "numpy"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VTAC_CACHE_DIR", str(tmp_path / "cache"))
    write_files(page.name, tmp_path)
    for line in (line for block in blocks(page, "sh") for line in shell_lines(block)):
        if any(part in line for part in ELSEWHERE):
            continue
        if "cuda" in line and "run" in line and cpu_unavailable_reason():
            continue
        outcome = run_line(smaller(line))
        assert outcome.status == 0, f"{page.name}: {line}\n{outcome.stdout.decode()}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=lambda page: page.name)
def test_sessions_print_what_they_show(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(page.name, tmp_path)
    for line, shown in (one for block in blocks(page, "console") for one in sessions(block)):
        printed = run_line(line).stdout.decode()
        assert re.search(as_pattern(shown), printed), f"{page.name}: {line}\n{printed}"


def test_text_is_drawn_or_compared() -> None:
    found = {page.name: len(blocks(page, "text")) for page in PAGES if blocks(page, "text")}
    assert found == Counter(DRAWINGS) + Counter(FAULTS)


def test_what_is_no_command_of_ours_is_told() -> None:
    with pytest.raises(UnknownProgramError, match="'rm' is not understood here; the programs are not, vtac, vtac-opt"):
        run_line("rm -r build")
    assert run_line("make nothing").stdout.decode() == "the Makefile has no target nothing\n"
    assert run_line("python /etc/hosts").status == 2


def test_exceptions_are_of_commands_that_there_are() -> None:
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in shell_lines(block)]
    assert [part for part in (*SMALLER, *ELSEWHERE) if not any(part in line for line in lines)] == []


def test_comments_and_sessions_are_told_from_commands() -> None:
    assert shell_lines("# about\nvtac run a.mlir   # runs\nvtac \\\n  check 'a #1'\n") == [
        "vtac run a.mlir",
        "vtac check 'a #1'",
    ]
    assert sessions("$ vtac run a.mlir  # no\nerror: a\nb\n$ vtac check a\n") == [
        ("vtac run a.mlir", "error: a\nb\n"),
        ("vtac check a", ""),
    ]
    assert re.search(as_pattern("error: 3 of ...\n  else"), "an error: 3 of 4\nelse\n")


def smaller(line: str) -> str:
    """A command that is done sooner."""
    for found, instead in SMALLER.items():
        line = line.replace(found, instead)
    return line
