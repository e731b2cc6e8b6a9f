"""The operations of random networks: each draws its parameters, and gives its text and its meaning in numpy."""

from __future__ import annotations

from fuzz.operations.branches import Branches, Projection
from fuzz.operations.convolutions import Convolution, Depthwise
from fuzz.operations.elementwise import Activation, Bias, Residual, Wide, Widen
from fuzz.operations.frontends import Loop, TensorArithmetic, Unflatten, Upsample
from fuzz.operations.gathers import Gather, Shuffle
from fuzz.operations.heads import Columns, Heads
from fuzz.operations.layout import Concatenate, Insert, Slice, Transpose
from fuzz.operations.operation import Operation
from fuzz.operations.pooling import Pool, Reduce
from fuzz.operations.products import BatchProduct, Product
from fuzz.operations.requantisation import Requantise
from fuzz.operations.reshapes import Broadcast, Collapse, Expand

OPERATIONS: dict[str, Operation] = {
    "convolution": Convolution(),
    "depthwise": Depthwise(),
    "product": Product(),
    "batch_product": BatchProduct(),
    "bias": Bias(),
    "requantise": Requantise(),
    "residual": Residual(),
    "wide": Wide(),
    "activation": Activation(),
    "widen": Widen(),
    "pool": Pool(),
    "reduce": Reduce(),
    "transpose": Transpose(),
    "slice": Slice(),
    "insert": Insert(),
    "concatenate": Concatenate(),
    "collapse": Collapse(),
    "expand": Expand(),
    "broadcast": Broadcast(),
    "branches": Branches(),
    "projection": Projection(),
    "upsample": Upsample(),
    "unflatten": Unflatten(),
    "tensor_arithmetic": TensorArithmetic(),
    "loop": Loop(),
    "gather": Gather(),
    "shuffle": Shuffle(),
    "heads": Heads(),
    "columns": Columns(),
}
