"""The bus to DRAM of the VTA's Chisel design, as its shells for the DE10 and for simulation have it."""

from __future__ import annotations

BUS_BYTES = 8
"""Bytes of a beat, one a cycle: AXI with 64 bits of data."""
BURST_BEATS = 16
"""Beats of the longest burst."""
BURST_BYTES = BUS_BYTES * BURST_BEATS
"""Bytes of the longest burst; none crosses a multiple of them."""
OUTSTANDING_BURSTS = 16
"""Bursts of reads that may be under way."""
