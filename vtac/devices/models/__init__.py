"""Both hardware designs as their drivers meet them: registers and physical memory, with the interpreter behind.

core           fetches, executes and hangs as the hardware does; what its registers add to addresses
hls            four windows, each with a control register; a flag that keeps what the run before said
chisel         one window; counters that are latched at the end
opening        a board whose windows are these
"""
