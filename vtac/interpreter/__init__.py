"""Executes instruction streams: numerics, counters and faults."""

from vtac.interpreter.counters import COUNTER_NAMES
from vtac.interpreter.errors import ExecutionError
from vtac.interpreter.running import execute, execute_reference

__all__ = ["COUNTER_NAMES", "ExecutionError", "execute", "execute_reference"]
