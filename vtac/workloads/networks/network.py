"""Networks of all kinds of layers.

Requantisation is `clip((sum + bias) >> shift)`; the bias holds the half that rounds. Shifts
are chosen from the reduction length, so that random data neither dies out nor saturates.
"""

from __future__ import annotations

from vtac.workloads.networks.convolutions import Convolutions
from vtac.workloads.networks.elementwise import Elementwise
from vtac.workloads.networks.floats import Floats
from vtac.workloads.networks.layouts import Layouts
from vtac.workloads.networks.pooling import Poolings
from vtac.workloads.networks.products import Products


class Network(Convolutions, Poolings, Products, Layouts, Elementwise, Floats):
    """Collects layers; each method adds one and returns its output."""
