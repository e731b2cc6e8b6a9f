"""What all layers of a model share: a name, the values they read, a shape and a meaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ModelError

Shape: TypeAlias = tuple[int, ...]
Array: TypeAlias = NDArray[np.float32]


def shape_text(shape: Sequence[int]) -> str:
    """`1x3x224x224`; `scalar` for rank 0."""
    return "x".join(map(str, shape)) or "scalar"


@dataclass(frozen=True, eq=False)
class Layer(ABC):
    """One layer: it reads the values named in `inputs` and makes the value `name`.

    A record checks its own parameters when it is made, and its inputs in `output_shape`, which
    has to be asked before `compute` is. Parameters are finite float32 arrays.
    """

    name: str
    inputs: tuple[str, ...]

    kind: ClassVar[str]
    """What users call such a layer."""
    operands: ClassVar[int | None] = 1
    """How many values it reads; None for one or more."""

    def __post_init__(self) -> None:
        wanted = self.operands
        if not self.inputs or (wanted is not None and len(self.inputs) != wanted):
            raise self.refuse(f"it reads {len(self.inputs)} values", f"{wanted or '1 or more'}")
        self.check_parameters()

    def check_parameters(self) -> None:  # noqa: B027 - most layers have none that could contradict one another
        """Refuse parameters that contradict one another."""

    @abstractmethod
    def output_shape(self, *shapes: Shape) -> Shape:
        """The shape of its value for inputs of these shapes; a ModelError for inputs that do not fit."""

    @abstractmethod
    def compute(self, *arrays: Array) -> Array:
        """Its value, in float32, for inputs that `output_shape` accepts."""

    def keeps_apart(self, *shapes: Shape) -> bool:
        """Whether it computes each element of dimension 0 by itself, for any number of them."""
        first = self.output_shape(*shapes)[0]
        return all(shape[:1] == (first,) for shape in shapes)

    def macs(self, *shapes: Shape) -> int:
        """Multiply-accumulates for inputs of these shapes; 0 for layers that are no product."""
        del shapes
        return 0

    def refuse(self, found: str, required: str) -> ModelError:
        """An error that names the layer, what was found and what is required."""
        return ModelError(f"layer '{self.name}' ({self.kind}): {found}; required: {required}")

    def require_rank(self, shape: Shape, rank: int, meaning: str) -> None:
        """Refuse an input of another rank; `meaning` says what its dimensions are."""
        if len(shape) != rank:
            raise self.refuse(f"its input is {shape_text(shape)}", f"{rank} dimensions, {meaning}")

    def require_array(self, what: str, array: Array, rank: int) -> None:
        """Refuse a parameter that is not float32, of another rank, empty, or not finite."""
        if array.dtype != np.float32:
            raise self.refuse(f"its {what} is of {array.dtype}", "float32")
        if array.ndim != rank:
            raise self.refuse(f"its {what} is {shape_text(array.shape)}", f"{rank} dimensions")
        if not array.size:
            raise self.refuse(f"its {what} is {shape_text(array.shape)}", "at least one element")
        if not np.isfinite(array).all():
            raise self.refuse(f"its {what} holds NaN or infinity", "finite numbers")

    def require_vector(self, what: str, array: Array, length: int, counted: str) -> None:
        """Refuse a parameter that is not a vector with a number for each of `counted`."""
        self.require_array(what, array, 1)
        if array.shape[0] != length:
            raise self.refuse(f"its {what} has {array.shape[0]} elements", f"{length}, one for each {counted}")

    def require_positive(self, what: str, numbers: Sequence[int]) -> None:
        """Refuse sizes below 1."""
        if min(numbers) < 1:
            raise self.refuse(f"its {what} is {shape_text(numbers)}", "1 or more in each direction")

    def axis_of(self, axis: int, rank: int) -> int:
        """An axis counted from the front; one below 0 counts from the end. Raises `ModelError` beyond `rank`."""
        if not -rank <= axis < rank:
            raise self.refuse(f"axis {axis} of an input with {rank} dimensions", f"an axis from {-rank} to {rank - 1}")
        return axis % rank
