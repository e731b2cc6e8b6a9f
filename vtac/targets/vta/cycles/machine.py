"""The event simulation: everything advances as far as it can, then the bus serves one transfer."""

from __future__ import annotations

from vtac.targets.vta.cycles.bus import ReadBus
from vtac.targets.vta.cycles.fetch import Fetch
from vtac.targets.vta.cycles.plan import COMPUTE, LOAD, STORE, UNIT_NAMES, Plan
from vtac.targets.vta.cycles.stall import deadlock, token_overflow
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.cycles.units import TokenQueue, Unit


class Machine:
    """Fetch, the three units, their token queues and the read bus, running one plan."""

    def __init__(self, plan: Plan, timing: Timing) -> None:
        self.plan = plan
        self.timing = timing
        l2g, g2l, s2g, g2s = (TokenQueue(name) for name in ("l2g", "g2l", "s2g", "g2s"))
        self.queues = (l2g, g2l, s2g, g2s)
        self.units = [
            Unit(UNIT_NAMES[LOAD], None, g2l, None, l2g),
            Unit(UNIT_NAMES[COMPUTE], l2g, s2g, g2l, g2s),
            Unit(UNIT_NAMES[STORE], g2s, None, s2g, None),
        ]
        self.bus = ReadBus(timing)
        self.fetch = Fetch(self.units, plan, timing)

    def run(self) -> int:
        """Execute until FINISH has been executed: the cycle in which it is. Raises `CycleError`."""
        plan, bus, fetch = self.plan, self.bus, self.fetch
        fetch.launch(bus)
        while True:
            self._settle()
            cycles = self._finished()
            command = bus.next_command()
            if command is None or (cycles is not None and command > cycles):
                break
            transfer = bus.serve()
            if transfer.client == "fetch":
                fetch.loaded(transfer)
            else:
                self.units[plan.units[transfer.index]].loaded(transfer, plan)
        if cycles is None:
            raise deadlock(plan, self.units, fetch)
        self._check_tokens(cycles)
        return cycles

    def _settle(self) -> None:
        """Run fetch and the units until none gets further without data.

        Times run ahead of the bus only where they do not depend on it, so no command can appear
        before the last one accepted.
        """
        fetch, bus, plan, units = self.fetch, self.bus, self.plan, self.units
        progress = True
        while progress:
            progress = fetch.dispatched < fetch.fetched and fetch.dispatch(bus)
            for unit in units:
                if unit.is_ready and unit.run(plan, bus):
                    progress = True

    def _finished(self) -> int | None:
        compute = self.units[COMPUTE]
        if compute.ends and compute.instructions[len(compute.ends) - 1] == len(self.plan.units) - 1:
            return compute.ends[-1] - 1
        return None

    def _check_tokens(self, cycles: int) -> None:
        for queue in self.queues:
            if len(queue.available) > self.timing.token_limit:
                overflow = token_overflow(queue, cycles, self.timing)
                if overflow:
                    raise overflow
