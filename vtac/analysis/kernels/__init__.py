"""Kernels of GPUs: begin with `kernel_groups`, and with `kernel_roles` for what their loops are.

kernels of a program              kernel_groups, repeated_copies, scalars
loops, and indices of threads     kernel_roles, index_roles, carried_roles, gpu_indices, lanes, alignment, extremes
what a kernel knows               kernel_constants, kernel_values, kernel_numbers, kernel_bounds, common_conditions
operations of warps               warp_operations
memory and threads                kernel_places, shared_memory, shared_matrices, bank_conflicts, barriers
dynamic sizes                     dynamic_sizes, dynamic_grid, stand_ins
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
