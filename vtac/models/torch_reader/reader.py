"""`from_torch`: the nodes of an exported program, one after the other, become layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vtac.errors import ModelError
from vtac.models.model import Model
from vtac.models.torch_reader import functions, images, moves
from vtac.models.torch_reader.building import Builder, Converter
from vtac.models.torch_reader.exported import Exported, Node, Ref, export, load

CONVERTERS: Mapping[str, Converter] = {**functions.CONVERTERS, **images.CONVERTERS, **moves.CONVERTERS}
"""The layers that each operation becomes."""


def from_torch(module: object, example_inputs: Sequence[object] | None = None) -> Model:
    """A `torch.nn.Module`, or what `torch.export.export` made of one, as a model.

    `example_inputs` is a tuple of tensors, whose shapes are the model's; an exported program needs none. The module is
    exported in evaluation mode. Layers are called as their modules are (`layer2.0.conv1`); a sum or a function within
    a module is called by that module and the operation (`layer2.0.add`). Raises ModelError for what cannot be
    exported, for operations that no layer is for (all at once) and for layers that do not fit, ToolMissingError
    without the package `torch`.
    """
    return _model(export(module, example_inputs))


def from_exported_file(path: str) -> Model:
    """A file that `torch.export.save` wrote (`.pt2`)."""
    return _model(load(path))


def _model(program: Exported) -> Model:
    unknown: dict[str, list[str]] = {}
    for node in program.nodes:
        if node.op != "getitem" and node.op not in CONVERTERS:
            unknown.setdefault(node.op, []).append(node.path)
    if unknown:
        counted = "; ".join(f"{op} ({len(paths)} times, first '{paths[0]}')" for op, paths in sorted(unknown.items()))
        raise ModelError(f"model '{program.name}' uses operations that no layer is for: {counted}")
    builder = Builder(program)
    for node in program.nodes:
        if node.op == "getitem":
            _take(builder, node)
        else:
            CONVERTERS[node.op](builder, node)
    return builder.model()


def _take(builder: Builder, node: Node) -> None:
    """One of the results of a node."""
    source, place = node.arguments["self"], node.arguments["index"]
    made = builder.several.get(source.name, ()) if isinstance(source, Ref) else ()
    if not isinstance(place, int) or place >= len(made):
        raise node.refuse(f"it takes result {place} of {len(made)}", "a result that is computed")
    builder.values[node.name] = made[place]
