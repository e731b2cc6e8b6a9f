"""The HTML report in a browser: it needs nothing else, and everything on it works, by pointer and by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

import vtac
from browser.browser import MISSING, Opened, opened
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.programs.program import Program
from vtac.workloads.networks.resnet import resnet18

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

NINTH = Path(__file__).resolve().parents[2] / "examples" / "vta_conv2d.mlir"
MOST_MILLISECONDS = 4000
LINE = "#levels-view .pane:nth-child({pane}) pre > div:nth-child({line})"
LIT = "document.querySelectorAll('#levels-view .pane:nth-child({pane}) .lit').length"


@pytest.fixture(scope="module")
def ninth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "ninth.html"
    vtac.compile(NINTH).report(path)
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "resnet18.html"
    vtac.compile(resnet18().module()).report(path)
    return path


def lit(found: Opened, pane: int) -> float:
    return found.number(LIT.format(pane=pane))


def window(found: Opened) -> tuple[float, float]:
    """The cycles that the timeline shows."""
    found.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    canvas = "Number(document.getElementById('timeline-canvas').dataset.{})"
    return found.number(canvas.format("from")), found.number(canvas.format("to"))


def drawn_after(path: Path) -> float:
    """Milliseconds from opening a page to all of it being drawn: the least of three, as other work may disturb one."""
    times: list[float] = []
    for _ in range(3):
        with opened(path) as found:
            times.append(found.number("Number(document.documentElement.dataset.drawn)"))
        if times[-1] < MOST_MILLISECONDS:
            break
    return min(times)


@pytest.mark.parametrize("path", ["ninth", "network"])
def test_a_page_is_drawn_soon(path: str, request: pytest.FixtureRequest) -> None:
    assert drawn_after(request.getfixturevalue(path)) < MOST_MILLISECONDS


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_convolution_opens_by_itself(ninth: Path, theme: str) -> None:
    assert ninth.stat().st_size <= 500_000
    with opened(ninth, theme) as found:
        assert found.requests == [ninth.as_uri()]
        assert found.errors == []


def test_the_network_opens_by_itself(network: Path) -> None:
    assert network.stat().st_size <= 5_000_000
    with opened(network) as found:
        assert found.requests == [network.as_uri()]
        assert found.errors == []
        found.page.select_option("#levels-part", "resnet18_1")
        assert "vta" in found.text("[...document.querySelectorAll('.pane h4')].map((h) => h.textContent).join()")
        found.page.select_option("#timeline-layer", "3")
        begin, end = window(found)
        assert 0 < begin < end < found.number("Number(document.querySelector('tfoot td.n').dataset.v)")
        assert found.errors == []


def test_lines_light_up_in_all_levels(ninth: Path) -> None:
    with opened(ninth) as found:
        assert lit(found, 1) == 0
        found.page.hover(LINE.format(pane=1, line=11))  # the convolution, in the source
        assert [lit(found, pane) > 0 for pane in (1, 2, 3, 4)] == [True] * 4
        assert "vta_conv2d.mlir:11" in found.text("document.getElementById('levels-place').textContent")
        found.page.click(LINE.format(pane=1, line=11))
        scrolled = "document.querySelector('#levels-view .pane:nth-child(3) pre').scrollTop"
        assert found.number(scrolled) >= 0
        assert found.errors == []


def test_lines_light_up_by_keyboard(ninth: Path) -> None:
    with opened(ninth) as found:
        found.page.focus("#levels-view .pane:nth-child(1) pre")
        for _ in range(11):
            found.page.keyboard.press("ArrowDown")
        assert lit(found, 1) == 1 and lit(found, 4) > 50
        found.page.keyboard.press("Enter")
        assert found.errors == []


def test_levels_are_chosen(ninth: Path) -> None:
    with opened(ninth) as found:
        panes = "document.querySelectorAll('.pane').length"
        assert found.number(panes) == 4
        found.page.click("#levels-choice label:nth-of-type(2) input")
        assert found.number(panes) == 5
        assert found.text("document.querySelector('.pane:nth-child(2) h4').textContent").startswith("payload")


def test_the_timeline_zooms_and_pans(ninth: Path) -> None:
    with opened(ninth) as found:
        assert window(found) == (0, 483_467)
        found.page.click("[data-zoom=in]")
        first = window(found)
        assert first[1] - first[0] == pytest.approx(483_467 / 2, abs=2)
        found.page.focus("#timeline-canvas")
        found.page.keyboard.press("+")
        found.page.keyboard.press("ArrowLeft")
        second = window(found)
        assert second[0] < first[0] + 483_467 / 8 and second[1] - second[0] == pytest.approx(483_467 / 4, abs=2)
        found.page.keyboard.press("0")
        assert window(found) == (0, 483_467)
        found.page.click("#timeline tr:nth-child(3) [data-begin]")  # load waits 16,906 cycles from 222,827 on
        assert window(found) == (222_827 - 16_906, 222_827 + 2 * 16_906)
        assert found.errors == []


def test_tables_sort(ninth: Path) -> None:
    with opened(ninth) as found:
        names = "[...document.querySelectorAll('#memory tbody th')].map((cell) => cell.textContent).join()"
        assert found.text(names) == "data,kernel,res,micro_ops"
        found.page.click("#memory th:nth-child(4) button")
        assert found.text(names) == "kernel,data,res,micro_ops"


def test_the_schedule_is_walked_by_keyboard(ninth: Path) -> None:
    with opened(ninth) as found:
        chosen = "document.querySelector('#steps-list [aria-selected=true]').textContent"
        first = found.text(chosen)
        found.page.focus("#steps-list")
        found.page.keyboard.press("ArrowDown")
        assert found.text(chosen) != first
        assert found.number("document.querySelectorAll('#steps-nest .plus, #steps-nest .minus').length") > 0


def test_the_theme_is_chosen_and_the_page_prints(ninth: Path) -> None:
    with opened(ninth) as found:
        ground = "getComputedStyle(document.body).backgroundColor"
        before = found.text(ground)
        found.page.click("[data-theme-button]")
        assert found.text(ground) != before
        found.page.emulate_media(media="print")
        assert found.text(ground) == "rgb(255, 255, 255)"
        assert found.errors == []


def test_a_hundred_thousand_instructions_open(tmp_path: Path) -> None:
    config = vtac.VTAConfig()
    words = assemble("load.uop nop\n", config) * 100_000 + assemble("finish\n", config)
    page = tmp_path / "long.html"
    buffers = vtac.compile(NINTH.with_name("vta_vadd.mlir")).stream.buffers
    vtac.report(Program(config, words, b"", buffers), page)
    assert page.stat().st_size < 5_000_000
    assert drawn_after(page) < MOST_MILLISECONDS
