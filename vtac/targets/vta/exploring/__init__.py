"""`vtac.explore`: sweeps over configurations of the hardware, each point compiled, proven and counted.

By subject:

    entry, results                    entry, sweep, point, overtaken, sensitivity, energy, scaling
    machines                          machines, enumeration, naming, where
    the work                          exploration, jobs, points
    points that need not be compiled  pruning, least, needed_loads, origins
    what machines share               families, shared_fronts, shared_tilings, shared_kernels
"""
