"""Edits that several passes share: the driver of patterns, changes of nests, builders of operations. It knows no pass.

By subject, with the module to begin with first:

    the driver, and upstream passes   walker, upstream_cleanups
    moving, copying, making operations
                                      edits, copies, made_operations, unread, shared_constants
    loop nests and blocks             nests, block_edits, loop_copies, inits, constant_fills, buffer_copies
    loops and numbers of host functions
                                      forall_loops, stated_numbers
    from linalg to nests              payload_builder, payload_arguments, linalg_statements, linalg_bodies
    arithmetic of integers            tensor_conversion, converted_operations, integer_tensors, integer_bodies,
                                      alu_values, zero_points, finite_pads
    the VTA                           index_values, padding, zero_rows, linked_kernels, program_buffers, choices,
                                      known_amounts
    kernels of GPUs                   kernel_writer, kernel_outline, flat_views, named_numbers, register_buffers,
                                      asynchronous_copies, copy_routine, box_loads, cluster_conditions, lane_results,
                                      matrix_results
      attention                       attention_parts, attention_kernel, attention_lanes
"""
