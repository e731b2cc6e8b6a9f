"""Int8 ResNet-18 with random parameters as one program: every layer is checked against numpy, bit for bit."""

from __future__ import annotations

import sys

import network_runner

from vtac.workloads.networks.resnet import resnet18


def main() -> int:
    options = network_runner.parser(__doc__ or "", "python examples/resnet18.py --size 64 --seed 3")
    options.add_argument("--size", type=int, default=224, help="rows and columns of the image")
    options.add_argument("--classes", type=int, default=1000, help="results of the last layer")
    options.add_argument("--batch", type=int, default=1, help="images")
    given = options.parse_args()
    return network_runner.main(given, lambda: resnet18(given.size, given.classes, given.batch, given.seed))


if __name__ == "__main__":
    sys.exit(main())
