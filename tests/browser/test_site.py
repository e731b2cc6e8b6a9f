"""The documentation site in a browser: every page opens without an error and asks no network; the search works."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser.browser import MISSING, a_page, opened

SITE = Path(__file__).resolve().parents[2] / "build" / "docs" / "html"
PAGES = sorted(SITE.rglob("*.html"))

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.skipif(not PAGES, reason="the site is not built: make docs"),
]


def test_every_page_opens_without_an_error() -> None:
    wrong: dict[str, list[str]] = {}
    with a_page() as found:
        for page in PAGES:
            found.errors.clear()
            found.page.goto(page.as_uri())
            if found.errors:
                wrong[str(page.relative_to(SITE))] = list(found.errors)
        assert wrong == {}
        assert [url for url in found.requests if not url.startswith(("file:", "data:"))] == []


def test_every_picture_is_there_and_has_words() -> None:
    with a_page() as found:
        for page in PAGES:
            found.page.goto(page.as_uri())
            images = "[...document.querySelectorAll('article img')]"
            assert found.number(f"{images}.filter((one) => !one.alt || !one.naturalWidth).length") == 0, page
            repeated = "[...document.querySelectorAll('article figure')].filter((one) => one.querySelector('img') && "
            repeated += "one.querySelector('figcaption')?.innerText.trim() === one.querySelector('img').alt).length"
            assert found.number(repeated) == 0, page


@pytest.mark.parametrize("word", ["tensorize", "vta-place-buffers", "deadlock"])
def test_the_search_finds_without_a_network(word: str) -> None:
    with opened(SITE / "search.html", drawn="input[name=q]") as found:
        found.page.goto(f"{(SITE / 'search.html').as_uri()}?q={word}")
        found.page.wait_for_selector("#search-results li a")
        assert found.number("document.querySelectorAll('#search-results li a').length") >= 1
        assert found.errors == []


WITHOUT_SCRIPTS = ("index", "machine", "tutorials/03_convolution", "reference/directives", "reference/passes")
SEEN = "((one) => one.getClientRects().length > 0 && one.getBoundingClientRect().left >= 0)"


@pytest.mark.parametrize("name", WITHOUT_SCRIPTS)
def test_a_page_is_read_without_scripts(name: str) -> None:
    with a_page(scripts=False) as found:
        found.page.goto((SITE / f"{name}.html").as_uri())
        assert found.number("document.querySelector('article').innerText.length") > 500
        assert found.number(f"[...document.querySelectorAll('article h1, article h2')].filter({SEEN}).length") > 0
        links = f"[...document.querySelectorAll('.sidebar-tree a')].filter({SEEN}).length"
        assert found.number(links) > 20
        assert (
            found.number("[...document.querySelectorAll('article img')].filter((one) => !one.naturalWidth).length") == 0
        )


def test_solutions_and_the_contents_open_without_scripts() -> None:
    with a_page(width=600, scripts=False) as found:
        found.page.goto((SITE / "tutorials" / "01_vector_addition.html").as_uri())
        shown = "document.querySelector('details.solution > :not(summary)').checkVisibility()"
        assert found.page.evaluate(shown) is False
        found.page.click("details.solution > summary")
        assert found.page.evaluate(shown) is True
        contents = f"[...document.querySelectorAll('.sidebar-tree a')].filter({SEEN}).length"
        assert found.number(contents) == 0
        found.page.click("header label[for=__navigation]")
        found.page.wait_for_selector(".sidebar-tree a:visible")
