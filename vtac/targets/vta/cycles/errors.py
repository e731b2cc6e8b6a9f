"""What keeps a stream from having a cycle count."""

from __future__ import annotations

from vtac.targets.vta.machine.errors import ExecutionError


class CycleError(ExecutionError):
    """A stream that never finishes on the hardware, or whose run the hardware does not define.

    `index` is the instruction at fault (for a deadlock, the earliest that waits). `kind` is a decoding
    fault (`length`, `opcode`, `memory`, `alu-opcode`), `finish` (no FINISH, or not last), `sram-range`
    (a block larger than its memory), `deadlock`, `hang` (a LOAD that never ends) or `tokens` (a queue
    has to hold more than its counter counts).
    """
