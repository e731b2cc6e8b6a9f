"""What `vtac tune` finds for ResNet-18's convolutions C2 to C12, and how far that may be from the best.

    python benchmarks/tuned_layers.py                                   # at most 150 tilings of each, by cycles
    python benchmarks/tuned_layers.py C6 C8 C9 --memories 8 --budget 60
    python benchmarks/tuned_layers.py C2 --objective pareto

Each layer is followed by >> 8, max 0, min 127 and the int8 store. *Least* is what the bounds leave: no tiling of the
space takes less. With a number of tilings as budget, the result is the same on any machine.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from resnet_layers import CASES

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.tuning.gaps import percent_up
from vtac.targets.vta.tuning.result import TuneResult

OBJECTIVES = ("cycles", "bytes", "pareto")
_SHARES = (1, 2, 4, 8, 16)


def machine(share: int) -> VTAConfig:
    """The default configuration with that part of INP, WGT and ACC."""
    usual, less = VTAConfig(), share.bit_length() - 1
    names = ("log_inp_buff_size", "log_wgt_buff_size", "log_acc_buff_size")
    return replace(usual, **{name: int(getattr(usual, name)) - less for name in names})


def row(name: str, found: TuneResult) -> str:
    """One line of the table."""
    (layer,) = found.layers
    gain = f" {100 * (1 - found.cycles / found.default_cycles):.2f} %" if found.cycles < found.default_cycles else ""
    within = "best" if found.gap == 0 else f"{percent_up(found.gap):.1f} %"
    return (
        f"| {name} | {found.default_cycles:,} | {found.cycles:,} |{gain} | {layer.least:,} | {within} "
        f"| {layer.evaluated} | {found.default_bytes:,} | {found.bytes:,} |"
    )


def main() -> int:
    """Prints the table, with `--objective pareto` the fronts below."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--budget", type=int, default=150, help="tilings of each layer (default 150)")
    parser.add_argument("--memories", type=int, default=1, choices=_SHARES, help="one part of so many of INP, WGT, ACC")
    parser.add_argument("--objective", choices=OBJECTIVES, default="cycles", help="what is to be least")
    parser.add_argument("--executor", default="local", help="who works (default: a process for each core)")
    given = parser.parse_args()
    for name in given.layers:
        if name not in CASES:
            parser.error(f"invalid choice: {name!r} (choose from {', '.join(CASES)})")
    if given.budget < 1:
        parser.error(f"--budget {given.budget}: at least one tiling is required")
    config = machine(given.memories)
    print("| layer | default | tuned | gain | least | within | tilings | bytes, default | tuned |")
    print("|---|---|---|---|---|---|---|---|---|")
    texts: list[str] = []
    for name in given.layers or CASES:
        text = replace(CASES[name].layer, config=config).text()
        found = vtac.tune(text, config, budget=given.budget, objective=given.objective, executor=given.executor)
        print(row(name, found), flush=True)
        texts.append(f"{name}\n{found}")
    if given.objective == "pareto":
        print("\n".join(texts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
