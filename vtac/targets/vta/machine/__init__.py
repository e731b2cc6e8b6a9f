"""Executes instruction streams: numerics, counters and faults.

The way of a run through the files:

    running        `execute` and `execute_reference`: the whole of a run, and its result
    stream         bytes to columns, units and token bits, decoded once
    prepare        what is known before a run: `static_checks` (fields), `tokens` (an order, deadlock, limits)
    fast           the fast path: a plan for the stream and its micro-ops, cached, and run on the memory image
      fast_active      the instructions that do anything, in runs of one kind
      fast_micro_ops   which micro-ops are loaded, and whether the stream stores over them
      fast_plan        instructions to steps, in order
      fast_proof       what SRAM holds at each instruction, so that no rule is broken and nothing unwritten read
      fast_nest        the affine loops of a kernel, recovered from its micro-ops
      fast_sums        products that add to the same tiles as one: `fast_joined` says which, `fast_joined_steps` how,
                       on the matrices of `fast_operands`
      fast_gemm, fast_alu, fast_memory    a kernel, an ALU instruction, loads and stores as array operations
      fast_levels, fast_repetitions       which operations of an ALU instruction run side by side; closed forms of those
                                          that a loop repeats
      fast_workspace   the SRAM and the scratch arrays that steps share
    reference      one tile operation at a time on `machine`'s memories: the oracle of the fast path, and its
                   stand-in where a stream stores over its micro-ops; `tile_checks` are the rules both apply
    numerics, counters    what the arithmetic units compute; the reference's seven counters

The checker (`proof/`) judges the same rules (`vtac.targets.vta.rules`) by code of its own.
"""

from vtac.errors import ExecutionError
from vtac.targets.vta.machine.counters import COUNTER_NAMES
from vtac.targets.vta.machine.running import Progress, execute, execute_reference

__all__ = ["COUNTER_NAMES", "ExecutionError", "Progress", "execute", "execute_reference"]
