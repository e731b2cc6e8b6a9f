"""An int8 multi-layer perceptron with random parameters as one program, checked layer by layer against numpy."""

from __future__ import annotations

import sys

import network_runner

from vtac.workloads.networks.mlp import mlp


def main() -> int:
    options = network_runner.parser(__doc__ or "", "python examples/mlp.py --batch 8 --features 784 300 10")
    options.add_argument("--batch", type=int, default=1, help="rows")
    options.add_argument(
        "--features", type=int, nargs="+", default=[784, 512, 256, 10], help="inputs of the first layer, then outputs"
    )
    given = options.parse_args()
    return network_runner.main(given, lambda: mlp(given.batch, given.features, given.seed))


if __name__ == "__main__":
    sys.exit(main())
