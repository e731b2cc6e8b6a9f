"""Analyses: they answer questions about IR, and change nothing.

By subject, with the module to begin with first:

    index expressions                 linear, affine_expressions, coarse_divisions, separation, extremes, alignment,
                                      counters, numbers, trips
    what an operation or block is     structured_view, accesses, bodies, contraction, contraction_bodies, elementwise,
                                      rising, equal_regions, reshapes, tensor_views, computations, walks
    loop nests                        nest, regions, compaction, in_place, reductions, revisits, updates,
                                      constant_fills, layout_accesses, runs
    values and their ranges           value_facts, scalar_facts, tensor_ranges, integer_ranges, dense_numbers,
                                      scalars, element_expressions
    types, sizes, places              tensor_types, element_kinds, buffer_types, sizes, strided_parts, locations,
                                      attribute_texts
    integers for floats and wide integers
                                      scaled_integers, scaled_floats, scaled_shifts, scaled_plan, narrow_plan,
                                      tensor_plan, offset_plan, recipes
    functions and modules             stage, target, gpu_architecture, branches, device_functions, dominance,
                                      fingerprint, kept_facts
    plain programs                    fusion_groups, contraction_counts, reductions_of_tensors, call_levels,
                                      callers_values, placements, tile_slices
    the VTA                           gemm, transfers, tiles, kernel_shapes, token_plan, sram_plan, unmapped
    kernels of GPUs                   kernel_groups, kernel_roles, kernel_constants, kernel_values, kernel_places,
                                      kernel_numbers, index_roles, carried_roles, gpu_indices, common_conditions,
                                      repeated_copies
      shared memory and threads       shared_memory, bank_conflicts, barriers, kernel_bounds, lanes
      tensor-core instructions        warp_operations, warp_tiles, fragment_shapes, fragment_loops, fragment_plans,
                                      mma_intrinsics, mma_tiles, wgmma_tiles, shared_matrices, tensor_products,
                                      product_depth, product_splits, padded_steps
      bulk copies                     box_dimensions, box_copies, box_stores, cluster_boxes, pixel_boxes
      attention                       attention, attention_scores, attention_masks, attention_results, attention_tiles
      dynamic sizes                   dynamic_sizes, dynamic_grid, stand_ins
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
