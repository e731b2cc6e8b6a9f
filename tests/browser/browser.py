"""A headless Chromium driven by Playwright, as far as the tests use it; both are optional."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
MISSING = (
    "playwright is not installed: make test-browser"
    if find_spec("playwright") is None
    else "chromium is not installed: apt-get install chromium"
    if CHROMIUM is None
    else ""
)
"""Why there is no browser, empty where there is one."""


class Keyboard(Protocol):
    def press(self, key: str) -> None: ...


class Page(Protocol):
    """A page, by the names of Playwright."""

    keyboard: Keyboard

    def goto(self, url: str) -> object: ...
    def on(self, event: str, f: Callable[..., None]) -> None: ...
    def wait_for_selector(self, selector: str) -> object: ...
    def evaluate(self, expression: str) -> object: ...
    def click(self, selector: str) -> None: ...
    def hover(self, selector: str) -> None: ...
    def focus(self, selector: str) -> None: ...
    def select_option(self, selector: str, value: str) -> object: ...
    def emulate_media(self, *, media: str) -> None: ...


class _Context(Protocol):
    def new_page(self) -> Page: ...
    def close(self) -> None: ...


class _Browser(Protocol):
    def new_context(
        self, *, color_scheme: str, viewport: dict[str, int], offline: bool, java_script_enabled: bool
    ) -> _Context: ...
    def close(self) -> None: ...


class _Kind(Protocol):
    def launch(self, *, executable_path: str, args: list[str]) -> _Browser: ...


class _Playwright(Protocol):
    chromium: _Kind


class _Request(Protocol):
    url: str


class _Message(Protocol):
    type: str
    text: str


@dataclass
class Opened:
    """A page that has been opened and drawn, and what was heard of it meanwhile."""

    page: Page
    requests: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])

    def number(self, expression: str) -> float:
        """What an expression of the page comes to, a number."""
        return float(cast(float, self.page.evaluate(expression)))

    def text(self, expression: str) -> str:
        """The same, as text."""
        return str(self.page.evaluate(expression))


@contextmanager
def opened(path: Path, theme: str = "light", drawn: str = "html[data-drawn]") -> Generator[Opened]:
    """Open a file as a user does, without a network; a page says when all of it is drawn, by what `drawn` selects."""
    with a_page(theme) as found:
        found.page.goto(path.as_uri())
        found.page.wait_for_selector(drawn)
        yield found


@contextmanager
def a_page(theme: str = "light", width: int = 1400, *, scripts: bool = True) -> Generator[Opened]:
    """A page without a network, which goes to one address after the other; without `scripts` its own do not run."""
    start: Callable[[], AbstractContextManager[_Playwright]] = import_module("playwright.sync_api").sync_playwright
    with start() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM or "", args=["--no-sandbox"])
        viewport = {"width": width, "height": 900}
        context = browser.new_context(color_scheme=theme, viewport=viewport, offline=True, java_script_enabled=scripts)
        found = Opened(context.new_page())

        def on_request(request: _Request) -> None:
            found.requests.append(request.url)

        def on_message(message: _Message) -> None:
            if message.type in ("error", "warning"):
                found.errors.append(message.text)

        def on_error(error: object) -> None:
            found.errors.append(str(error))

        found.page.on("request", on_request)
        found.page.on("console", on_message)
        found.page.on("pageerror", on_error)
        yield found
        context.close()
        browser.close()
