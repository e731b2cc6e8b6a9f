"""Random networks mean the same after each pass from the integer level to packed device functions."""

from __future__ import annotations

from random import Random
from typing import cast

import numpy as np
import pytest
from fuzz.case import Payload
from fuzz.configurations import configuration
from fuzz.networks import build, expected
from fuzz.targets.linalg import LinalgTarget
from strangers import strangers

from vtac.analysis.ir.device_functions import device_functions
from vtac.analysis.ir.target import set_config
from vtac.evaluate import evaluate
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.tools.registry import pass_factories

FEATURES = frozenset(LinalgTarget.features) - {"zero_points", "half_even", "small_buffers", "capacity", "long"}
PASSES = (
    "expand-groups",
    "unroll-batches",
    "fit-device-operations",
    "swap-factors",
    "multiply-transposes",
    "pool-accumulators",
    "split-intermediates",
    "choose-window-folds",
    "fold-windows",
    "outline-device-functions",
    "split-device-operations",
    "pack-device-functions",
    "propagate-layouts",
)


@pytest.mark.parametrize("seed", [0, 1, 2, 6, 11, 14, 31, 42])
def test_every_pass_keeps_the_meaning(seed: int) -> None:
    payload = LinalgTarget().draw(Random(seed), FEATURES)
    network, results = build(payload)
    module = parse(network.text(results))
    set_config(module, configuration(cast(Payload, payload["config"])))
    for name in PASSES:
        pass_factories()[name]()().apply(make_context(), module)
        module.verify()
        assert strangers(module) == [], name
        found = evaluate(module, *network.arrays)
        for one, wanted in zip(
            found if isinstance(found, tuple) else (found,), expected(network, results), strict=True
        ):
            np.testing.assert_array_equal(one, wanted, name)
    assert all(
        str(kind).endswith("i8>") for device in device_functions(module) for kind in device.function_type.outputs
    )
