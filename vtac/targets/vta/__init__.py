"""The VTA accelerator: default schedules, linking, instruction streams, and the machine that executes them."""
