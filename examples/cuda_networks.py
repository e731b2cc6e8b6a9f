"""A transformer's encoder layer, or a residual network, as a CUDA program of several kernels.

python examples/cuda_networks.py encoder                  # every kernel's text on the CPU, against float64
python examples/cuda_networks.py resnet --save resnet     # a small residual network, saved
python examples/cuda_networks.py resnet18 --no-run        # the whole ResNet-18: its plan
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import vtac
from vtac.workloads.encoder import EncoderLayer
from vtac.workloads.float_resnet import FloatResNet

NETWORKS = {
    "encoder": EncoderLayer(tokens=32, width=128, heads=4, hidden=256),
    "resnet": FloatResNet((1, 32, 32, 3), ((16, 2), (32, 2)), stem=16, classes=10),
    "resnet18": FloatResNet((1, 224, 224, 3), ((64, 2), (128, 2), (256, 2), (512, 2)), stem=64, classes=1000),
}
TOLERANCE = 3e-3


def main() -> int:
    """Compiles a network, prints its launches, and compares what it computes; 1 where it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--arch", help="GPU architecture to choose tiles for, as sm_90")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--no-run", action="store_true", help="compile only")
    parser.add_argument("--save", metavar="DIR", help="save the program")
    options = parser.parse_args()
    network = NETWORKS[options.network]
    start = time.perf_counter()
    program = vtac.compile(network.text(), "cuda", options.arch)
    if not isinstance(program, vtac.CudaNetwork):
        raise vtac.CompileError(f"{program}: several kernels are expected")
    print(
        f"{program.plan.name}: {len(program.plan.kernels)} kernels in {len(program.plan.steps)} launches, "
        f"{program.plan.scratch_bytes:,} bytes of scratch memory, compiled in {time.perf_counter() - start:.1f} s"
    )
    for step in program.plan.steps:
        kernel = program.plan.kernels[step.kernel]
        grid, block = ("x".join(map(str, extents)) for extents in (kernel.grid, kernel.block))
        print(f"  {kernel.kernel:<24} {grid:>10} blocks of {block:>10} threads")
    if options.save:
        program.save(options.save)
    if options.no_run:
        return 0
    arrays = network.inputs()
    found, expected = program(*arrays, device=options.device), network.reference(arrays)
    error = float(np.abs(np.asarray(found).astype(np.float64) - expected).max() / np.abs(expected).max())
    print(f"largest error {error:.2e} of the largest magnitude (allowed {TOLERANCE:.0e})")
    return int(error > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
