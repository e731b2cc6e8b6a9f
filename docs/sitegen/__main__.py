"""`python -m sitegen`: writes the sources of the site, and lets Sphinx make HTML of them."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from sitegen.pages import all_pages
from sitegen.tutorials import tutorial_pages

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = Path(__file__).parent / "sphinx"


class Options(argparse.Namespace):
    """The options, typed."""

    out: Path
    jobs: int


def main() -> int:
    """Builds the site; returns the exit status of Sphinx, for which a warning is an error."""
    parser = argparse.ArgumentParser(prog="python -m sitegen", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs", help="folder of source/ and html/")
    parser.add_argument("--jobs", type=int, default=2, help="tutorials that run at once")
    options = Options()
    parser.parse_args(namespace=options)
    source, html = options.out / "source", options.out / "html"
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    pages = {**all_pages(ROOT), **tutorial_pages(ROOT, options.jobs)}
    for name, content in pages.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    command = ["sphinx", "-W", "--keep-going", "-q", "-c", str(CONFIGURATION), str(source), str(html)]
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
