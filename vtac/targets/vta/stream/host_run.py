"""What a host function called, and the places in the source of what that issued."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from xdsl.ir import Operation

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError, EncodingError
from vtac.limits import ITERATIONS
from vtac.targets.vta.programs.provenance import Origin
from vtac.targets.vta.stream.layout import Names
from vtac.targets.vta.stream.stream_builder import StreamBuilder


@dataclass(frozen=True, slots=True)
class Site:
    """The op behind a call: its name and source location."""

    op: str
    location: str


@dataclass
class HostRun:
    """What a host function called: ops, each a call on a stream builder, and kernels.

    `calls` names the calls of kernels in program order, `places` says for each which places in the source it stands
    for instead of those of the kernel.
    """

    sites: list[Site] = field(default_factory=list[Site])
    calls: list[str] = field(default_factory=list[str])
    places: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    labels: Names = field(default_factory=Names)
    iterations: int = 0
    """Of all loops that have run so far."""

    def origin_of(self, call: int, site: int) -> Origin:
        """Where what a site issues comes from, in a call of a kernel; `call` is negative outside of any."""
        source = self.sites[site]
        if call < 0:
            return Origin(source.op, source.location)
        return Origin(source.op, self.places[call].get(source.location, source.location), self.calls[call])

    def count(self, iterations: int, loop: Operation) -> None:
        """Raises `CompileError` where a loop that runs so often makes more iterations than the limit allows."""
        self.iterations += iterations
        refusal = ITERATIONS.refusal(self.iterations) if self.iterations >= _MANY else ""
        if refusal:
            raise CompileError(f"the host of the VTA would run {refusal}", location_of(loop))


_MANY = 1 << 16
"""From so many iterations on the limit is asked for."""


@contextmanager
def naming_places(run: HostRun, stream: StreamBuilder) -> Generator[None]:
    """An `EncodingError` of a stream names the place in the source of what issued the instruction."""
    try:
        yield
    except EncodingError as error:
        origin = run.origin_of(*stream.origin_of(error))
        raise EncodingError(f"'{origin.op}': {error}", error.index, origin.location) from None
