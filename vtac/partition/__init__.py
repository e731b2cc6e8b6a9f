"""Parts of `pack-for-vta`: what a plain function computes, what of it fits GEMM and ALU, and its device functions.

By subject, with the module to begin with first:

    which operations become a device function
                                      clusters, anchors, outlines, host_segments, host_work
    products and convolutions         convolutions, convolution_roles, windows, pads, groups, window_folds,
                                      zero_insertion, phase_parts, flat_images, weight_sums, bias_products,
                                      unit_products
    poolings                          maxima, pooling_windows, repeated_edges
    elementwise operations            expressions, integer_form, integer_operations, alu_trees, products,
                                      scaled_numbers, scaled_operations
      as operations of the ALU        alu_operations, alu_legalizing, alu_building, alu_bodies, body_parts, byte_parts
    device functions                  primitives, device_bodies, fitted_operations, unit_dimensions, unit_moves
      on tiles                        layouts, foreign_tiles, device_layouts, lane_plan, device_tiles, product_tiles,
                                      product_maps, tile_operations, taller_tiles, hoisting
    what moves elements               moves, moved_parts, moved_blocks, placed_copies, tile_slices
      along channels                  channel_dims, channel_moves, moved_channels, moved_operations, unread_moves
"""
