"""Reports: numbers that can be computed in another way, the names of the interface, refusals."""

from __future__ import annotations

import json
import re
from typing import cast

import numpy as np
import pytest

from vtac.errors import ModelError
from vtac.models.graph import Input
from vtac.models.layer import Array
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import MaxPool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten
from vtac.models.model import Model
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.report.page import part
from vtac.models.windows import Window
from vtac.report.notebook import quantised_html


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def model() -> Model:
    layers = (
        Convolution("features.0", ("x",), numbers(4, 2, 3, 3), pads=(1, 1, 1, 1)),
        Relu("features.1", ("features.0",)),
        Convolution("conv", ("features.1",), numbers(4, 4, 1, 1)),
        Add("sum", ("conv", "features.1")),
        Flatten("flat", ("sum",)),
        Linear("fc", ("flat",), numbers(3, 64)),
    )
    return Model("net", (Input("x", (1, 2, 4, 4)),), layers, ("fc",))


@pytest.fixture(scope="module")
def quantised() -> QuantisedModel:
    return model().quantize(numbers(16, 2, 4, 4))


def test_the_totals_are_those_of_simulation_and_program(quantised: QuantisedModel) -> None:
    data = numbers(9, 2, 4, 4)
    scores, (own,) = np.asarray(model()(data)), quantised.floats(np.asarray(quantised.simulate(data)))
    labels = np.where(np.arange(9) < 6, scores.argmax(1), -1)
    report = quantised.report(data, labels)
    found = report.to_json()
    assert found["accuracy_float"] == 6 / 9
    assert found["agreement"] == (scores.argmax(1) == own.argmax(1)).mean()
    assert found["sqnr_db"] == pytest.approx(10 * np.log10((scores**2).sum() / ((scores - own) ** 2).sum()), rel=1e-4)
    assert (found["macs_on_vta"], found["streams"]) == (1.0, 1)
    assert report.cycles == quantised.compile().cycles == sum(line.cycles for line in report.lines)


def test_what_is_pooled_as_it_is_computed_shares_a_kernel_with_the_layer_after() -> None:
    layers = (
        Convolution("conv", ("x",), numbers(16, 16, 3, 3), pads=(1, 1, 1, 1)),
        Relu("relu", ("conv",)),
        MaxPool("pool", ("relu",), Window((2, 2), (2, 2))),
    )
    pooled = Model("net", (Input("x", (1, 16, 8, 8)),), layers, ("pool",)).quantize(numbers(4, 16, 8, 8))
    report = pooled.report(numbers(4, 16, 8, 8))
    assert [line.where for line in report.lines] == ["VTA, with 'pool'", "VTA"]
    assert report.macs_on_vta == 1.0


def test_the_record_has_the_names_of_the_interface(quantised: QuantisedModel) -> None:
    found = quantised.report().to_json()
    assert list(found) == ["agreement", "sqnr_db", "macs_on_vta", "streams", "cycles", "layers"]
    layers = cast("list[dict[str, object]]", found["layers"])
    assert {"name", "op", "where", "sqnr_db", "clipped", "cycles", "bytes"} <= set(layers[0])
    json.dumps(found, allow_nan=False)


def test_a_line_says_what_became_of_a_layer(quantised: QuantisedModel) -> None:
    data = numbers(9, 2, 4, 4)
    lines = {line.name: line for line in quantised.report(data).lines}
    assert list(lines) == ["features.0", "conv", "flat", "fc"]
    assert lines["conv"].op == "convolution + add"
    assert lines["conv"].where == lines["features.0"].where == "VTA"
    assert lines["flat"].where == "no work: the same bytes"
    first, product = lines["features.0"], quantised.products["features.0"]
    assert first.alone_db == pytest.approx(first.sqnr_db)
    assert first.bound == product.bound
    assert first.low == 0
    assert lines["fc"].scale is None


def test_table_and_page_name_every_layer(quantised: QuantisedModel) -> None:
    report = quantised.report()
    shown, page = str(report), report.to_html()
    for line in report.lines:
        assert line.name in shown
        assert line.name in page
    assert "what loses most by itself, and what to try:" in shown
    assert page.count("<figure>") == 4
    assert "<script" not in page and "prefers-color-scheme: dark" in page and "@media print" in page
    assert repr(report).startswith("<Report net, 16 samples: ") and "\n" not in repr(report)


@pytest.mark.parametrize("name", ["c", "a_layer_of_a_name_as_long_as_fits"])
def test_what_stands_over_and_below_a_chart_of_few_layers_fits(name: str) -> None:
    layers = (Convolution("f", ("x",), numbers(4, 2, 3, 3)), Flatten("g", ("f",)))
    small = Model("net", (Input("x", (1, 2, 4, 4)),), (*layers, Linear(name, ("g",), numbers(3, 16))), (name,))
    html = part(small.quantize(numbers(16, 2, 4, 4)).report())
    chart = re.search(r'<svg width="(\d+)" height="\d+" role="img" aria-label="SQNR in dB.*?</svg>', html, re.DOTALL)
    assert chart is not None
    legend = re.search(r'<text x="48" y="12">(.*?)</text>', chart[0])
    assert legend is not None
    assert int(chart[1]) >= 48 + 6 * len(re.sub("<[^>]*>", "", legend[1]))
    *_, (x, last) = re.findall(r'<text x="([\d.]+)" y="\d+" transform="rotate[^>]*>([^<]*)</text>', chart[0])
    assert int(chart[1]) >= float(x) + 6 * 0.8 * len(last)


def test_at_the_prompt_models_are_a_line_and_in_a_notebook_pictures(quantised: QuantisedModel) -> None:
    assert repr(quantised.graph).startswith("<Graph net(x ") and len(repr(quantised.graph)) < 200
    assert repr(quantised).startswith("<QuantisedModel net: ") and len(repr(quantised)) < 200
    program = quantised.compile()
    assert repr(program).startswith("<QuantisedProgram <HostProgram ")
    assert "<svg" in quantised_html(program) and "<svg" in part(quantised.report())


def test_elements_that_lie_outside_are_counted(quantised: QuantisedModel) -> None:
    lines = quantised.report(100 * numbers(4, 2, 4, 4)).lines
    assert lines[0].clipped > 0.2


def test_labels_that_do_not_fit_are_refused(quantised: QuantisedModel) -> None:
    with pytest.raises(ModelError, match=r"labels are \(3,\) of int64; integers of shape \(4,\) are required"):
        quantised.report(numbers(4, 2, 4, 4), np.arange(3))
    with pytest.raises(ModelError, match="is an array of int8; an array of floats is required"):
        quantised.report(np.zeros((1, 2, 4, 4), np.int8))
