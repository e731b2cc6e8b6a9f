"""Blocks of code in README and docs run; command lines name commands and options that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from types import MappingProxyType

import numpy as np
import pytest
from numpy.typing import NDArray
from page_blocks import LAYER, PAGES, ROOT, TWO_PRODUCTS, all_blocks, blocks
from sitegen.commands import help_of

import vtac
from vtac.tools.vtac import COMMANDS

SMALLER: Mapping[str, str] = MappingProxyType(
    {
        '"local:8"': '"local:1"',
        '"60s"': "4",
        "BLOCK in (16, 32) and sram_kib <= 512": "BLOCK in (16, 32)",
        "batch=8": "batch=1",
        "layer2.0.conv1": "conv1",
        '"examples/': f'"{ROOT}/examples/',
    }
)
"""What a block is run with instead, so that it is done soon."""
ELSEWHERE = ("from_torch", "on_gpu", "torch.cuda", "run.graph")
"""Lines that need PyTorch or a GPU; tests of their own have them."""

Array = NDArray[np.generic]


def ones(program: object) -> list[Array]:
    """Arrays for the arguments of a program, small and not zero."""
    arguments = getattr(program, "arguments", ())
    return [np.ones(one.shape, "uint16" if one.dtype == "bfloat16" else one.dtype) for one in arguments]


def names_for(page: str) -> dict[str, object]:
    """What the blocks of a page take for granted, in a folder that has the files that they name."""
    names: dict[str, object] = {"np": np, "vtac": vtac, "Path": Path}
    for file in ("layer.mlir", "net.mlir", "model.mlir"):
        Path(file).write_text(LAYER)
    if page in ("README.md", "models.md"):
        copyfile(ROOT / "examples" / "mnist" / "lenet.onnx", "net.onnx")
        images = np.random.default_rng(0).random((16, 1, 28, 28), np.float32)
        names |= {"images": images, "image": images[:1], "labels": np.zeros(16, np.int64)}
    if page in ("tuning.md", "exploring.md"):
        names |= {"module": vtac.parse(LAYER), "config": vtac.VTAConfig()}
    if page == "networks.md":
        names |= {"parameters": {"w": np.ones((64, 32), np.int8)}, "image": np.ones((16, 64), np.int8)}
    if page == "cuda-programs.md":
        names |= {"text": TWO_PRODUCTS}
    return names


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_blocks_of_python_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if page.name == "exploring.md":
        pytest.importorskip("matplotlib")
    names = names_for(page.name)
    for block in blocks(page, "python"):
        text = block
        for found, instead in SMALLER.items():
            text = text.replace(found, instead)
        lines = [line for line in text.splitlines() if not any(word in line for word in ELSEWHERE)]
        if lines and lines[0].startswith(" "):
            continue
        if "arrays" in text and "arrays" not in names:
            names["arrays"] = Given(names)
        exec(compile("\n".join(lines), f"{page.name}, a block", "exec"), names)


class Given(list[Array]):
    """`*arrays` of a page: those that the program takes which the page has at that time."""

    def __init__(self, names: dict[str, object]) -> None:
        super().__init__()
        self._names = names

    def __iter__(self) -> Iterator[Array]:
        return iter(ones(self._names["program"]))


def commands(page: Path) -> list[str]:
    """The lines of a page that call `vtac`, within its blocks."""
    return [
        line.split("#")[0].strip()
        for block in all_blocks(page)
        for line in block.text.splitlines()
        if block.language in ("sh", "console") and re.match(r"(\$ |[A-Z_]+=\S+ )*vtac \w", line)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_command_lines_name_what_there_is(page: Path) -> None:
    for line in commands(page):
        words = line[line.index("vtac ") :].split()
        assert words[1] in COMMANDS, line
        known = help_of(words[1]) if "--" in line else ""
        for option in re.findall(r"(?<=\s)--[a-z][\w-]*", line):
            assert option in known, f"{page.name}: {line}: {option} is no option of vtac {words[1]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    made = ("tutorials/", "reference/", "contributing.md")
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
        if page.parent.name == "docs" and target.startswith(made):
            continue
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
