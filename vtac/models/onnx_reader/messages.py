"""What is read of ONNX's messages, as records of this project; `onnx` is imported here, when first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from numpy.typing import NDArray

from vtac.errors import ModelError, ToolMissingError
from vtac.lazily import pip_install

Constant: TypeAlias = NDArray[Any]
Dimension: TypeAlias = int | str
"""An extent, or the name of one that the file leaves open."""


class NodeMessage(Protocol):
    """`onnx.NodeProto`."""

    name: str
    op_type: str
    domain: str
    input: Sequence[str]
    output: Sequence[str]
    attribute: Iterable[AttributeMessage]


class AttributeMessage(Protocol):
    """`onnx.AttributeProto`."""

    name: str


@dataclass(frozen=True)
class Node:
    """One operation; an empty name among its inputs is one that is left out."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, object]
    message: NodeMessage = field(repr=False)

    def refuse(self, found: str, required: str) -> ModelError:
        """An error that names the node, what was found and what is required."""
        return ModelError(f"node '{self.name}' ({self.op}): {found}; required: {required}")

    def integer(self, name: str, default: int) -> int:
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise self.refuse(f"its attribute {name} is {value!r}", "an integer")
        return value

    def number(self, name: str, default: float) -> float:
        value = self.attributes.get(name, default)
        if not isinstance(value, int | float):
            raise self.refuse(f"its attribute {name} is {value!r}", "a number")
        return float(value)

    def text(self, name: str, default: str) -> str:
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def integers(self, name: str, default: Sequence[int]) -> tuple[int, ...]:
        value = self.attributes.get(name, default)
        if not isinstance(value, Sequence):
            raise self.refuse(f"its attribute {name} is {value!r}", "a list of integers")
        return tuple(int(number) for number in cast(Sequence[int], value))


@dataclass(frozen=True)
class OnnxGraph:
    """A file: inputs with their extents, constants and nodes in order, names of outputs."""

    name: str
    opset: int
    inputs: Mapping[str, tuple[Dimension, ...]]
    constants: Mapping[str, Constant]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]


def load_graph(source: str | Path | bytes) -> OnnxGraph:
    """A file, or the bytes of one. ModelError for what ONNX itself refuses, ToolMissingError without the package."""
    onnx = _package()
    where = "the given bytes" if isinstance(source, bytes) else f"'{source}'"
    try:
        model = onnx.load_model_from_string(source) if isinstance(source, bytes) else onnx.load_model(str(source))
        onnx.checker.check_model(_with_typed_outputs(onnx, model))
    except Exception as error:
        raise ModelError(f"{where} cannot be read as an ONNX model: {_first_line(error)}") from error
    opsets = [int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    graph = model.graph
    constants = {str(entry.name): cast(Constant, onnx.numpy_helper.to_array(entry)) for entry in graph.initializer}
    return OnnxGraph(
        str(graph.name) or "model",
        opsets[0] if opsets else 0,
        {str(value.name): _extents(onnx, value) for value in graph.input if value.name not in constants},
        constants,
        tuple(_node(onnx, message) for message in graph.node),
        tuple(str(value.name) for value in graph.output),
    )


def _with_typed_outputs(onnx: Any, model: Any) -> Any:
    """The model for ONNX's checker, which wants types of outputs and their shapes: nothing here reads these."""
    bare = [value for value in model.graph.output if not value.type.tensor_type.HasField("shape")]
    if not bare or any(value.type.WhichOneof("value") not in (None, "tensor_type") for value in bare):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in copy.graph.output:
        kind = value.type.tensor_type
        kind.elem_type = kind.elem_type or onnx.TensorProto.FLOAT
        kind.shape.SetInParent()
    return copy


def fold_node(node: Node, inputs: Mapping[str, Constant], opset: int) -> tuple[Constant, ...]:
    """The values of a node that reads constants only, by ONNX's own reference.

    Raises `ModelError` for a node that it cannot compute.
    """
    onnx = _package()
    reference = import_module("onnx.reference")
    helper = onnx.helper
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
    ]
    made = [helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    graph = helper.make_graph([node.message], "constants", given, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        results = reference.ReferenceEvaluator(model).run(None, dict(inputs))
    except Exception as error:
        raise node.refuse(f"it cannot be computed: {_first_line(error)}", "a node that ONNX can execute") from error
    return tuple(cast(Sequence[Constant], results))


def _package() -> Any:
    try:
        onnx: Any = import_module("onnx")
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ToolMissingError(f"reading ONNX models needs the package 'onnx': {pip_install('onnx')}") from None
    return onnx


def _node(onnx: Any, message: Any) -> Node:
    outputs = tuple(str(name) for name in message.output)
    domain = "" if message.domain in ("", "ai.onnx") else f"{message.domain}::"
    attributes = {str(entry.name): _attribute(onnx, entry) for entry in message.attribute}
    name = str(message.name) or outputs[0]
    return Node(f"{domain}{message.op_type}", name, tuple(map(str, message.input)), outputs, attributes, message)


def _attribute(onnx: Any, entry: Any) -> object:
    """A number, text in bytes, a list of these, or an array."""
    value: object = onnx.helper.get_attribute_value(entry)
    if isinstance(value, onnx.TensorProto):
        return cast(Constant, onnx.numpy_helper.to_array(value))
    return value


def _extents(onnx: Any, value: Any) -> tuple[Dimension, ...]:
    """The extents of an input, which has to be of floats."""
    element: str = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
    if element not in ("FLOAT", "FLOAT16", "BFLOAT16"):
        raise ModelError(f"input '{value.name}' is of type {element}; FLOAT, FLOAT16 or BFLOAT16 is required")
    dimensions = value.type.tensor_type.shape.dim
    return tuple(int(one.dim_value) if one.HasField("dim_value") else str(one.dim_param) or "?" for one in dimensions)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
