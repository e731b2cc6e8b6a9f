"""What the VTA can address."""

from __future__ import annotations

from vtac.files.reading import MEMORY_BYTES
from vtac.targets.target import Reach

REACH = Reach("DRAM addresses of the VTA have 32 bits", nbytes=MEMORY_BYTES)
