"""What handing out tilings costs beside trying them: `vtac tune`'s tasks on processes of this machine.

    python benchmarks/task_overhead.py C8 C9 --tilings 12

A task of so many tilings is sent to a process as one batch, comes back as one, and is recorded in the store as one
transaction. The share is what sending, taking back and recording take of what the tilings take, in CPU seconds of one
core: what the program that leads spends, which does one thing at a time.
"""

from __future__ import annotations

import argparse
import pickle
import time

from resnet_layers import CASES

import vtac
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.scaling import dispatch_seconds, record_seconds
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.search import BATCH
from vtac.targets.vta.tuning.space import space_of
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workers.processes import Processes

SIZES = (1, 5, BATCH, 10)
"""Tilings of a task; `BATCH` is what tuning gives out."""


def jobs_of(name: str, count: int) -> list[Job]:
    """The most promising tilings of a layer."""
    layer = CASES[name].layer
    schedule = Schedule(vtac.parse(layer.text()), config=layer.config)
    space = space_of(layers_of(schedule)[0], layer.config)
    text, places = str(schedule.module), space.cycles.argsort(kind="stable")[:count]
    return [Job(text, space.member(int(place)).tiling, Timing.de10()) for place in places]


def main() -> int:
    """Prints the table; returns 1 where tasks of five tilings and more take more than two per cent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", choices=[[], *CASES], help="layers to try; C8 and C9 by default")
    parser.add_argument("--tilings", type=int, default=12, help="tilings to try of each (default 12)")
    options = parser.parse_args()
    print("| layer | CPU s of a tiling | tilings of a task | sent, ms | recorded, ms | share |")
    print("|---|---|---|---|---|---|")
    worst = 0.0
    with Processes(1) as executor:
        for name in options.layers or ["C8", "C9"]:
            jobs = jobs_of(name, max(10, int(options.tilings)))
            measure(jobs[:1])
            start = time.process_time()
            measure(jobs)
            tiling = (time.process_time() - start) / len(jobs)
            for size in SIZES:
                sent, kept = dispatch_seconds(pickle.dumps(jobs[:size]), executor), record_seconds(size)
                share = (sent + kept) / (size * tiling)
                worst = max(worst, share if size >= 5 else 0.0)
                print(
                    f"| {name} | {tiling:.3f} | {size} | {1e3 * sent:.2f} | {1e3 * kept:.2f} | {share:.2%} |",
                    flush=True,
                )
    return 0 if worst < 0.02 else 1


if __name__ == "__main__":
    raise SystemExit(main())
