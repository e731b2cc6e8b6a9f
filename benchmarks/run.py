"""Every benchmark that needs no GPU, one table after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("compile_times.py", "interpreter.py", "resnet_layers.py", "networks.py")


def main() -> int:
    argparse.ArgumentParser(description=__doc__, epilog="example: python benchmarks/run.py").parse_args()
    folder = Path(__file__).resolve().parent
    failed = 0
    for name in BENCHMARKS:
        print(f"== {name}", flush=True)
        failed |= subprocess.run([sys.executable, str(folder / name)], check=False).returncode
        print()
    return failed


if __name__ == "__main__":
    sys.exit(main())
