"""The operations of random networks: each draws its parameters, and gives its text and its meaning in numpy."""

from __future__ import annotations

from fuzz.operations.elementwise import Bias, Relu, Requantise, Residual, Wide
from fuzz.operations.layout import Concatenate, Flatten, Pool, Slice, Transpose
from fuzz.operations.operation import Operation
from fuzz.operations.products import Convolution, Product

OPERATIONS: dict[str, Operation] = {
    "convolution": Convolution(),
    "product": Product(),
    "bias": Bias(),
    "requantise": Requantise(),
    "residual": Residual(),
    "wide": Wide(),
    "pool": Pool(),
    "transpose": Transpose(),
    "slice": Slice(),
    "concatenate": Concatenate(),
    "flatten": Flatten(),
    "relu": Relu(),
}
