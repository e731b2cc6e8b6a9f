"""From the vta dialect to an instruction stream in memory, and its execution."""
