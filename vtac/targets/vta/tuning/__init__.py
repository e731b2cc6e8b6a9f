"""`vtac.tune`: a longer search for schedules, on any executor, and how far its result may be from the best.

By subject:

    entry, results  entry, result, outcomes, gaps, budget
    the search      campaign, search, space, promise, trials, measuring
    the store       identity, stored
    bounds          bounds, bound_cut, bound_kernels, bound_loads, bound_reloads, bound_starts, bound_ends
"""
