"""`vtac-opt --help` loads what the options need, and no driver."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from vtac.tools.vtac_opt import main
try:
    main([sys.argv[1]])
except SystemExit as end:
    print(end.code, "vtac.tools.opt_driver" in sys.modules)
"""


def _loaded(option: str) -> str:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, option], capture_output=True, text=True, check=True)
    return done.stdout


def test_help_loads_no_driver() -> None:
    text = _loaded("--help")
    assert text.startswith("usage: vtac-opt")
    assert text.endswith("0 False\n")
