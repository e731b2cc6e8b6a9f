"""Default schedules: a small search over the tilings of each layer, by traffic and cycles.

The way of a search through the files:

    entry                             defaults, search, simple
    what a function's blocks are      layers, matching, stages, tiled_contraction
    tilings                           candidates, tiling, tilings, room, tile_regions
    estimates by formula              ranking, cost, contraction_cost, transfers, staying
    rehearsals                        rehearsal, fetching, instruction_places, outline, steps, tile_passes, tile_tails,
                                      chunks, load_turns
    limits                            roof, work
    from a tiling to directives       layer_directives, contraction_directives, nests, lowering
    convolutions of few channels      fold_choice, folds
    what was found or lowered before  known_tilings, tiling_cache, known_kernels, kernel_forms, kernel_lowering,
                                      kernel_cache
"""

from vtac.targets.vta.schedules.defaults import default_lowering, default_schedule

__all__ = ["default_lowering", "default_schedule"]
