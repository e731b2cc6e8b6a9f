"""The page of the documentation that lists mistakes with their messages: `python tests/mistakes/table.py` writes it."""

from __future__ import annotations

from pathlib import Path

from mistakes.cases import MISTAKES, told

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
_HEAD = """# Mistakes and what is said of them

Each message is one that a test provokes. Under it a traceback, or the tools on stderr, quote the line of the source
with a caret; for a directive also the loop nest, with what the directive was about marked. `error.kind`, `.tried`,
`.found`, `.required`, `.remedy` and `.locations` hold its parts, which `vtac COMMAND --json` prints as an object.
`VTAC_DEBUG=1`, or `--verbose` for the tools, adds where in the compiler it arose. `vtac explain KIND`
explains each kind with an example.

| mistake | message |
|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [f"| {name} | {_cell(told(mistake))} |" for name, mistake in MISTAKES.items()]
    return _HEAD + "\n".join(rows) + "\n"


def _cell(message: str) -> str:
    return "<br>".join(f"`{line}`" for line in message.replace("|", "\\|").splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
