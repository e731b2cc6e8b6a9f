"""What is read of `torch.export`'s programs, as records of this project; `torch` is imported here, when needed."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias, cast

from numpy.typing import NDArray

from vtac.errors import ModelError, ToolMissingError
from vtac.lazily import pip_install
from vtac.models.layer import Shape

Constant: TypeAlias = NDArray[Any]
_LEAF = re.compile(r"torch\.nn\.modules\.(?!container)")


@dataclass(frozen=True)
class Ref:
    """A value that a node computes, by the node's name."""

    name: str


@dataclass(frozen=True)
class Node:
    """One operation: its name as `conv2d` or `getitem`, its arguments by the names of its schema.

    `path` is what users call its layer; `shape` that of its result, empty for a scalar and for several results.
    """

    op: str
    name: str
    arguments: Mapping[str, object]
    path: str
    shape: Shape

    def refuse(self, found: str, required: str) -> ModelError:
        """An error that names the node, what was found and what is required."""
        return ModelError(f"node '{self.path}' ({self.op}): {found}; required: {required}")


@dataclass(frozen=True)
class Exported:
    """A program: inputs with their shapes, constants by name with what users call them, nodes in order, outputs."""

    name: str
    inputs: Mapping[str, Shape]
    constants: Mapping[str, Constant]
    paths: Mapping[str, str]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]


def export(module: object, example_inputs: Sequence[object] | None) -> Exported:
    """A module in evaluation mode, or a program that is exported already, without in-place operations.

    Raises `ModelError` for anything else, and for a module without example inputs.
    """
    torch = _package()
    if isinstance(module, torch.export.ExportedProgram):
        program: Any = module
        name = "model"
    elif isinstance(module, torch.nn.Module):
        if example_inputs is None:
            raise ModelError("a module was given without example inputs; a tuple of tensors is required")
        name = type(module).__name__
        program = _exported(torch, module, tuple(example_inputs))
    else:
        raise ModelError(f"a {type(module).__name__} was given; a torch.nn.Module or an ExportedProgram is required")
    return _read(torch, program.run_decompositions({}), name)


def load(path: str) -> Exported:
    """A file that `torch.export.save` wrote. Raises `ModelError` for another one."""
    torch = _package()
    try:
        program: Any = torch.export.load(path)
    except Exception as error:
        raise ModelError(f"'{path}' cannot be read as an exported program: {_first_line(error)}") from error
    return _read(torch, program.run_decompositions({}), "model")


def _exported(torch: Any, module: Any, inputs: tuple[object, ...]) -> Any:
    was_training = bool(module.training)
    try:
        return torch.export.export(module.eval(), inputs)
    except Exception as error:
        raise ModelError(f"torch.export cannot export {type(module).__name__}: {_first_line(error)}") from error
    finally:
        module.train(was_training)


def _read(torch: Any, program: Any, name: str) -> Exported:
    signature = program.graph_signature
    paths: dict[str, str] = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    tensors: Mapping[str, Any] = {**program.state_dict, **program.constants}
    lifted: dict[str, str] = dict(signature.inputs_to_lifted_tensor_constants)
    constants: dict[str, Constant] = {}
    inputs: dict[str, Shape] = {}
    nodes: list[Node] = []
    outputs: tuple[str, ...] = ()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in {**paths, **lifted}:
            constants[node.name] = _array(tensors[{**paths, **lifted}[node.name]])
        elif node.op == "placeholder":
            inputs[node.name] = _input_shape(torch, node)
        elif node.op == "call_function":
            nodes.append(_node(node))
        elif node.op == "output":
            outputs = tuple(one.name for one in node.args[0])
    return Exported(name, inputs, constants, paths, tuple(nodes), outputs)


def _array(tensor: Any) -> Constant:
    return cast(Constant, tensor.data.cpu().numpy())


def _input_shape(torch: Any, node: Any) -> Shape:
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or value.dtype != torch.float32:
        found = str(getattr(value, "dtype", type(value).__name__))
        raise ModelError(f"input '{node.name}' is of type {found}; torch.float32 is required")
    shape = tuple(value.shape)
    if not all(type(extent) is int for extent in shape):
        raise ModelError(f"input '{node.name}' is {tuple(map(str, shape))}; fixed extents are required")
    return shape


def _node(node: Any) -> Node:
    if node.target is operator.getitem:
        arguments: dict[str, object] = {"self": _value(node.args[0]), "index": node.args[1]}
        op = "getitem"
    elif hasattr(node.target, "_schema"):
        schema = node.target._schema
        names = [one.name for one in schema.arguments]
        arguments = {one.name: _value(one.default_value) for one in schema.arguments if one.has_default_value()}
        arguments |= {name: _value(value) for name, value in zip(names, node.args, strict=False)}
        arguments |= {name: _value(value) for name, value in node.kwargs.items()}
        op = schema.name.removeprefix("aten::")
    else:
        raise ModelError(f"node '{node.name}' calls {node.target}, which is no operation of torch")
    result = node.meta.get("val")
    shape: Shape = tuple(result.shape) if hasattr(result, "shape") else ()
    return Node(op, str(node.name), arguments, _path(node, op), shape)


def _path(node: Any, op: str) -> str:
    """The module that calls the operation, where that is one of torch's own; else the operation in that module."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path, kind = stack[-1] if stack else ("", "")
    path = re.sub(r"@\d+", "", path)
    if path and _LEAF.match(kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__name__}"):
        return path
    return f"{path}.{op}" if path else op


def _value(value: Any) -> object:
    """An argument; lists become tuples."""
    if hasattr(value, "op") and hasattr(value, "meta"):
        return Ref(str(value.name))
    if isinstance(value, list | tuple):
        return tuple(_value(one) for one in cast(Sequence[Any], value))
    return value


def _package() -> Any:
    try:
        torch: Any = import_module("torch")
        import_module("torch.export")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ToolMissingError(f"reading PyTorch models needs the package 'torch': {pip_install('torch')}") from None
    return torch


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
