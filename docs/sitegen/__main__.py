"""`python -m sitegen`: writes the sources of the site, and lets Sphinx make HTML of them."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sitegen.pages import all_pages, require_examples
from sitegen.tutorials import tutorial_pages

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = Path(__file__).parent / "sphinx"


class Options(argparse.Namespace):
    """The options, typed."""

    out: Path
    jobs: int


def main() -> int:
    """Builds the site; returns the exit status of Sphinx, for which a warning is an error, and says what there is."""
    parser = argparse.ArgumentParser(prog="python -m sitegen", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs", help="folder of source/ and html/")
    parser.add_argument("--jobs", type=int, default=2, help="tutorials that run at once")
    options = Options()
    parser.parse_args(namespace=options)
    source, html = options.out / "source", options.out / "html"
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    require_examples(ROOT)
    tutorials, seconds = tutorial_pages(ROOT, options.jobs)
    pages = {**all_pages(ROOT), **tutorials}
    for name, content in pages.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    command = ["sphinx", "-W", "--keep-going", "-q", "-c", str(CONFIGURATION), str(source), str(html)]
    status = subprocess.run([sys.executable, "-m", *command], check=False).returncode
    print(summary(html, seconds))
    return status


def summary(html: Path, seconds: Mapping[str, float]) -> str:
    """The number of pages, and where CPU time went: all of it, and for each tutorial as a script."""
    spent = os.times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    each = ", ".join(f"{name[:2]} {one:.1f}" for name, one in seconds.items())
    pages = sum(1 for _ in html.rglob("*.html"))
    return f"{pages} pages in {total:.0f} s of CPU; tutorials, each run as a script and as a notebook: {each} s"


if __name__ == "__main__":
    sys.exit(main())
