"""The report on a quantised model: measured on samples, with the cycles of its program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from vtac.dialects.packing import HostOp
from vtac.models.layer import Array
from vtac.models.quantiser.program import QuantisedProgram
from vtac.models.quantiser.quantisation import Quantisation
from vtac.models.quantiser.steps import Step
from vtac.models.report.measures import Agreement, Noise, StepMeasure, checked_labels
from vtac.models.report.report import LayerLine, Report, described
from vtac.models.threads import one_thread
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports


def build_report(
    quantised: Quantisation,
    program: QuantisedProgram,
    samples: Sequence[NDArray[Any]],
    labels: NDArray[Any] | Sequence[int] | None,
) -> Report:
    """Measure; ModelError for samples or labels that do not fit."""
    measures, result, agreement = _measured(quantised, samples, labels)
    reports = {one.name: one for one in layer_reports(program.program)}
    hosted = _hosted(program)
    lines = tuple(_line(quantised, step, measures[step.target], reports, hosted) for step in quantised.steps)
    count = max(1, agreement.count)
    return Report(
        quantised.graph.name,
        samples[0].shape[0],
        lines,
        agreement.right_float / count if labels is not None else None,
        agreement.right_int8 / count if labels is not None else None,
        agreement.same / count,
        result.decibels,
        len(program.devices),
        program.cycles,
        program.choices,
    )


def _measured(
    quantised: Quantisation, samples: Sequence[NDArray[Any]], labels: NDArray[Any] | Sequence[int] | None
) -> tuple[Mapping[str, StepMeasure], Noise, Agreement]:
    graph = quantised.graph
    measures = {step.target: StepMeasure() for step in quantised.steps}
    result, agreement, done = Noise(), Agreement(), 0
    first = graph.outputs[0]
    wanted = None if labels is None else checked_labels(labels, graph.shapes[first], samples[0].shape[0])
    with one_thread():
        for batch in quantised.chunks(*samples):
            floats = dict(graph.values(*batch))
            integers = quantised.network.reference(*quantised.integers(*batch))
            for step in quantised.steps:
                _measure(quantised, step, floats, integers, measures[step.target])
            for name in graph.outputs:
                result.add(floats[name], quantised.value(name, integers[quantised.tensors[name].name]))
            own = quantised.value(first, integers[quantised.tensors[first].name])
            count = batch[0].shape[0]
            if own.ndim > 1:
                agreement.add(floats[first], own, None if wanted is None else wanted[done : done + count])
            done += count
    return measures, result, agreement


def _measure(
    quantised: Quantisation,
    step: Step,
    floats: Mapping[str, Array],
    integers: Mapping[str, NDArray[Any]],
    measure: StepMeasure,
) -> None:
    tensors, name = quantised.tensors, step.target
    expected = floats[name]
    measure.see(expected, quantised.scales.get(name))
    measure.whole.add(expected, quantised.value(name, integers[tensors[name].name]))
    given = [quantised.stored(one, floats[one]) for one in step.inputs]
    record = next(one for one in quantised.network.layers if one.name == tensors[name].name)
    alone = record.compute({tensors[one].name: array for one, array in zip(step.inputs, given, strict=True)})
    measure.alone.add(expected, quantised.value(name, alone))


def _line(
    quantised: Quantisation,
    step: Step,
    measure: StepMeasure,
    reports: Mapping[str, LayerReport],
    hosted: Mapping[str, str],
) -> LayerLine:
    tensor = quantised.tensors[step.target].name
    product = quantised.products.get(step.layer.name)
    kernels = [one for name, one in reports.items() if _is_of(name, tensor)]
    record = next(one for one in quantised.network.layers if one.name == tensor)
    shapes = [quantised.graph.shapes[name] for name in step.layer.inputs]
    shared = _with_another(quantised, tensor, reports)
    where = "VTA" if kernels else _where(tensor, record.is_view, hosted) or shared
    return LayerLine(
        step.layer.name,
        described([layer.kind for layer in step.layers]),
        f"host: {step.hosted}" if step.hosted else where,
        quantised.scales.get(step.target),
        quantised.scales.get(step.layer.inputs[0]),
        measure.low,
        measure.high,
        measure.clipped,
        measure.alone.decibels,
        measure.whole.decibels,
        measure.bits_lost,
        None if product is None else product.bound,
        None if product is None else (int(product.shifts.min()), int(product.shifts.max())),
        step.layer.macs(*shapes),
        sum(one.cycles for one in kernels),
        sum(one.dram_bytes for one in kernels),
        quantised.seen.get(step.target),
        tensor,
    )


def _with_another(quantised: Quantisation, tensor: str, reports: Mapping[str, LayerReport]) -> str:
    """Where a layer is that shares the kernel of another, by the name of that one."""
    holder = next((name for name, one in reports.items() if tensor in one.layers), "")
    names = {quantised.tensors[step.target].name: step.layer.name for step in quantised.steps}
    return f"VTA, with '{names.get(holder, holder)}'" if holder else "VTA, with a layer beside it"


def _where(tensor: str, is_view: bool, hosted: Mapping[str, str]) -> str:
    """Why the VTA does not compute a layer; nothing where it does, in a kernel that another layer has the name of."""
    if is_view:
        return "no work: the same bytes"
    for name, reason in hosted.items():
        if _is_of(name, tensor):
            return f"host: {reason}"
    return ""


def _is_of(name: str, tensor: str) -> bool:
    """Whether a value is one that a layer computes on the way to its own."""
    return name.removeprefix(tensor) in ("", "_sum", "_t_sum", "_wide", "_padded")


def _hosted(program: QuantisedProgram) -> Mapping[str, str]:
    """Reasons by the names of the values that the host computes."""
    found: dict[str, str] = {}
    if isinstance(program.program, HostProgram):
        for op in program.program.host_function.walk():
            if isinstance(op, HostOp):
                inner = [result.name_hint for one in op.walk() for result in one.results]
                found |= {name: op.reason.data for name in inner if name}
    return found
