"""Executes instruction streams: numerics, counters and faults."""

from vtac.errors import ExecutionError
from vtac.targets.vta.machine.counters import COUNTER_NAMES
from vtac.targets.vta.machine.running import Progress, execute, execute_reference

__all__ = ["COUNTER_NAMES", "ExecutionError", "Progress", "execute", "execute_reference"]
