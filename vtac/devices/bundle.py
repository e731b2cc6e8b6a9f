"""The agent in one file: a zip of its modules that Python runs, with nothing else of vtac."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from vtac.devices import agent

_START = "import sys\nfrom vtac.devices.agent.main import main\nsys.exit(main())\n"
_DATE = (2020, 1, 1, 0, 0, 0)
"""The same modules make the same bytes."""


def agent_bytes() -> bytes:
    """The file's contents, for Python 3.8 and later."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("vtac", "vtac/devices"):
            file.writestr(zipfile.ZipInfo(f"{name}/__init__.py", _DATE), "")
        for path in sorted(Path(agent.__file__).parent.glob("**/*.py")):
            inner = path.relative_to(Path(agent.__file__).parent).as_posix()
            file.writestr(zipfile.ZipInfo(f"vtac/devices/agent/{inner}", _DATE), path.read_bytes())
        file.writestr(zipfile.ZipInfo("__main__.py", _DATE), _START)
    return b"#!/usr/bin/env python3\n" + archive.getvalue()
