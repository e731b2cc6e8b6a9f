"""Analyses: they answer questions about IR, and change nothing.

A package imports from those above it in this list, which begins with what all others need:

    operations and functions as they stand                                    ir
    types, sizes, and parts of tensors                                        types
    index expressions                                                         expressions
    loop nests, and the blocks in them                                        nests
    what an operation or a block computes                                     operations
    values and their ranges                                                   values
    plans that put small integers in place of floats and wide integers        integer_plans
    functions of a plain program                                              programs
    what the VTA's units, memories and tokens can do for a block              vta
    kernels of GPUs                                                           kernels
    products on tensor cores                                                  tensor_cores
    bulk copies                                                               bulk_copies
    attention                                                                 attention
"""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
