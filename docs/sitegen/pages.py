"""All pages but the tutorials: those of docs/ as they are, and those that are made from the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sitegen import dialects, directives, passes
from sitegen.commands import commands_page
from sitegen.dialects import dialect_pages
from sitegen.directives import directives_page
from sitegen.findings import findings_page
from sitegen.formats import formats_page
from sitegen.hardware import hardware_page
from sitegen.machine import inserts
from sitegen.passes import passes_page
from sitegen.python_names import python_page

_INSERT = re.compile(r"^<!-- made from the code: ([\w -]+) -->$", re.MULTILINE)
_REST = "<!-- other pages -->"


def all_pages(root: Path) -> dict[str, str]:
    """The text of each page, by its path in the site's sources."""
    pages = {f"reference/{name}": text for name, text in reference_pages(root).items()}
    pages |= written_pages(root)
    return pages


def require_examples(root: Path) -> None:
    """Raises `RuntimeError` that names the directives, passes and operations whose entries have no example."""
    missing = [name for kind in (directives, passes, dialects) for name in kind.without_example(root)]
    if missing:
        raise RuntimeError(f"no example in the reference: {', '.join(missing)}")


def reference_pages(root: Path) -> dict[str, str]:
    """The pages that are made from the code, by file name."""
    return {
        "python.md": python_page(),
        "directives.md": directives_page(root),
        "passes.md": passes_page(root),
        **dialect_pages(root),
        "commands.md": commands_page(),
        "hardware.md": hardware_page(),
        "findings.md": findings_page(),
        "formats.md": formats_page(),
    }


def written_pages(root: Path) -> dict[str, str]:
    """The pages of docs/ and CONTRIBUTING.md; what they ask for from the code is filled in.

    A page that index.md does not name is listed at its end.
    """
    found = {path.name: path.read_text() for path in sorted((root / "docs").glob("*.md"))}
    contributing = root / "CONTRIBUTING.md"
    if contributing.is_file():
        text = contributing.read_text().replace("](docs/", "](")
        found["contributing.md"] = re.sub(r"\]\((tutorials/\w+)\.py\)", r"](\1.md)", text)
    made = inserts()
    pages = {name: _filled(text, made) for name, text in found.items()}
    index = pages["index.md"]
    others = [name for name in pages if name != "index.md" and not re.search(rf"^{name[:-3]}$", index, re.MULTILINE)]
    pages["index.md"] = index.replace(_REST, "\n".join(name[:-3] for name in others))
    return pages


def _filled(text: str, made: Mapping[str, Callable[[], str]]) -> str:
    def fill(match: re.Match[str]) -> str:
        return made[match[1]]()

    return _INSERT.sub(fill, text)
