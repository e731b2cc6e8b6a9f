"""From the vta dialect to an instruction stream in memory, and its execution.

By subject:

    entry                      build, asm_target
    the host's loops           host_code, host_calls, host_values, host_arithmetic, host_bounds, host_rules,
                               host_run, work
    the stream                 stream_builder, items, kernel_code, buffers, layout, memory_bounds
    the order of instructions  dataflow, load_order, durations, footprints, tile_sets
"""
