"""The launch record: round trips and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import Fill, TensorMap
from vtac.errors import ConfigError
from vtac.targets.cuda.launch import ELEMENT_BYTES, LaunchRecord, Parameter

_RECORD = LaunchRecord(
    "conv2d",
    (2, 4, 196),
    (32, 4, 2),
    0,
    (
        Parameter("data", "input", "float16", (16, 14, 14, 16, 16, 16)),
        Parameter("output", "output", "float32", (16, 14, 14, 32, 16, 16)),
    ),
)


def test_json_has_the_public_keys_in_order() -> None:
    data = json.loads(_RECORD.to_json())
    assert list(data) == ["kernel", "grid", "block", "shared_bytes", "parameters"]
    assert list(data["parameters"][0]) == ["name", "role", "dtype", "shape"]
    assert data["grid"] == [2, 4, 196]
    assert LaunchRecord.from_json(_RECORD.to_json()) == _RECORD


def test_sizes_follow_from_the_record() -> None:
    assert (_RECORD.threads, _RECORD.blocks) == (256, 1568)
    assert _RECORD.inputs[0].nbytes == 25_690_112
    assert [parameter.name for parameter in _RECORD.outputs] == ["output"]
    assert Parameter("a", "input", "bfloat16", (3, 5)).numpy_dtype == "uint16"


_EXTENT = st.integers(1, 16)


@settings(max_examples=40)
@given(
    grid=st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 65535), st.integers(1, 65535)),
    block=st.tuples(st.integers(1, 16), st.integers(1, 8), st.integers(1, 8)),
    shapes=st.lists(st.lists(_EXTENT, min_size=1, max_size=6), max_size=4),
    dtype=st.sampled_from(sorted(ELEMENT_BYTES)),
)
def test_every_record_survives_json(
    grid: tuple[int, int, int], block: tuple[int, int, int], shapes: list[list[int]], dtype: str
) -> None:
    parameters = tuple(Parameter(f"p{i}", "input", dtype, tuple(shape)) for i, shape in enumerate(shapes))
    record = LaunchRecord("k", grid, block, 1024, parameters)
    assert LaunchRecord.from_json(record.to_json()) == record


def _edited(**changes: object) -> str:
    return json.dumps({**json.loads(_RECORD.to_json()), **changes})


def _parameter(role: str, dtype: str, shape: object) -> str:
    return _edited(parameters=[{"name": "a", "role": role, "dtype": dtype, "shape": shape}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"x\.json:1:2: not JSON"),
        ("[]", r"x\.json: found list; a JSON object with kernel, grid"),
        (_edited(extra=1), "unknown field extra; the fields are kernel"),
        (json.dumps({"kernel": "k"}), "missing field block"),
        (_edited(grid=[1, 2]), r"grid: found \[1, 2\]; three integers"),
        (_edited(grid=[1, 2, True]), "grid: found True; an integer is required"),
        (_edited(shared_bytes="many"), "shared_bytes: found 'many'; an integer"),
        (_edited(kernel="a b"), "kernel 'a b'; a C"),
        (_parameter("both", "int8", [1]), "neither 'input' nor"),
        (
            _parameter("input", "int7", [1]),
            "dtype 'int7'; the dtypes",
        ),
        (_parameter("input", "int8", [0]), "every extent must be"),
        (_parameter("input", "int8", 4), "shape: found 4; a list"),
    ],
)
def test_json_is_refused_with_the_field_at_fault(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LaunchRecord.from_json(text, "x.json")


def test_cudas_limits_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"block \[32, 8, 8\] has 2048 threads; CUDA allows 1024"):
        replace(_RECORD, block=(32, 8, 8))
    with pytest.raises(ConfigError, match=r"grid\.z is 65536; CUDA allows 1 to 65535"):
        replace(_RECORD, grid=(1, 1, 65536))
    with pytest.raises(ConfigError, match="shared_bytes is -4"):
        replace(_RECORD, shared_bytes=-4)
    with pytest.raises(ConfigError, match="parameter data is named twice"):
        replace(_RECORD, parameters=_RECORD.parameters[:1] * 2)


_MAP = TensorMap("data", "float16", (64, 100), (128,), (64, 32), (1, 1), 128)
_ARRAY = Parameter("data", "input", "float16", (100, 64))


def _with(one: TensorMap, array: Parameter = _ARRAY) -> LaunchRecord:
    return LaunchRecord("k", (1, 1, 1), (32, 1, 1), 0, (array,), (one,))


def test_tensor_maps_travel_in_the_record() -> None:
    record = _with(replace(_MAP, fill="nan", steps=(1, 2)))
    data = json.loads(record.to_json())
    assert list(data)[-1] == "tensor_maps"
    assert data["tensor_maps"][0]["box"] == [64, 32]
    assert LaunchRecord.from_json(record.to_json()) == record
    assert (_MAP.box_bytes, _MAP.alignment, record.map_position(_MAP)) == (4096, 1024, 0)
    apart = record.tensor_maps[0]
    assert (apart.box_bytes, apart.walked) == (4096, (64, 64))


_PIXELS = TensorMap(
    *("data", "float16", (64, 14, 9, 2), (128, 1792, 16128), (64, 32), (1, 2, 1, 1), 128, "zero"),
    corners=Corners((-1, -1), (-2, -1)),
)


def test_maps_of_pixels_travel_in_the_record() -> None:
    record = _with(_PIXELS, replace(_ARRAY, shape=(2, 9, 14, 64)))
    data = json.loads(record.to_json())
    assert data["tensor_maps"][0]["corners"] == {"lower": [-1, -1], "upper": [-2, -1]}
    assert "corners" not in json.loads(_with(_MAP).to_json())["tensor_maps"][0]
    assert LaunchRecord.from_json(record.to_json()) == record
    assert _PIXELS.box_bytes == 4096
    data["tensor_maps"][0]["corners"] = [[-1, -1], [-2, -1]]
    with pytest.raises(
        ConfigError, match=r"tensor_maps\[0\]: corners: found .*; an object with lower, upper is required"
    ):
        LaunchRecord.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (replace(_ARRAY, name="other"), "tensor map of 'data': no parameter has that name"),
        (replace(_ARRAY, dtype="bfloat16"), "tensor map of 'data': it holds bfloat16, the map float16"),
        (replace(_ARRAY, shape=(99, 64)), "reaches 12800 bytes far; the array has 12672"),
    ],
)
def test_maps_of_other_arrays_are_refused(array: Parameter, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _with(_MAP, array)
    assert message in caught.value.message


def _map(
    dtype: str = "float16",
    extents: tuple[int, ...] = (64, 100),
    strides: tuple[int, ...] = (128,),
    box: tuple[int, ...] = (64, 32),
    steps: tuple[int, ...] = (1, 1),
    swizzle: int = 128,
    fill: Fill = "zero",
) -> TensorMap:
    return TensorMap("a", dtype, extents, strides, box, steps, swizzle, fill)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dtype": "int64"}, "elements of int64; uint8, int8"),
        ({"extents": (1,) * 6}, "6 dimensions; 1 to 5 are possible"),
        ({"strides": ()}, "2 dimensions with 0 strides, 2 extents of the box and 2 steps"),
        ({"extents": (0, 100)}, "extents [0, 100]; each is from 1 to 2**31"),
        ({"strides": (120,)}, "a stride of 120 bytes; a multiple of 16 below 2**40 is required"),
        ({"box": (64, 257)}, "a box of 64 x 257 elements; each extent is from 1 to 256"),
        ({"steps": (1, 9)}, "steps [1, 9]; each is from 1 to 8"),
        (
            {"box": (64, 200), "steps": (1, 2)},
            "a box of 64 x 200 elements in steps [1, 2] is walked through 400 elements",
        ),
        ({"steps": (2, 1)}, "steps of 2 elements along the innermost dimension"),
        ({"box": (4, 32)}, "rows of a box of 8 bytes; a multiple of 16 is required"),
        ({"swizzle": 256}, "a swizzle of 256 bytes; 32, 64 or 128 are possible"),
        ({"swizzle": 64}, "rows of a box of 128 bytes, swizzled within 64: a row has to fit"),
        ({"dtype": "int32", "box": (32, 32), "fill": "nan"}, "a fill of NaN for elements of int32"),
        ({"fill": "one"}, "a fill of 'one'; zero or nan is possible"),
    ],
)
def test_maps_that_the_hardware_lacks_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _map(**change)
    assert f"tensor map of 'a': {message}" in caught.value.message


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("box", "wide", "tensor_maps[0]: box: found 'wide'; a list of integers is required"),
        ("fill", "one", "fill 'one', swizzle 128; two names, one of zero, nan, and a number are required"),
        ("pitch", 3, "an object with array, dtype, extents, strides, box, steps, swizzle, fill is required"),
    ],
)
def test_maps_of_files_are_refused(field: str, value: object, message: str) -> None:
    data = json.loads(_with(_MAP).to_json())
    data["tensor_maps"][0][field] = value
    with pytest.raises(ConfigError) as caught:
        LaunchRecord.from_json(json.dumps(data))
    assert message in caught.value.message


def test_clusters_survive_json_and_are_left_out_elsewhere() -> None:
    record = replace(_RECORD, cluster=(1, 4, 1))
    assert json.loads(record.to_json())["cluster"] == [1, 4, 1]
    assert LaunchRecord.from_json(record.to_json()) == record
    assert (record.cluster_blocks, _RECORD.cluster_blocks) == (4, 1)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ((1, 1, 1), "launch record: cluster [1, 1, 1] has 1 blocks; 2 to 8 are possible"),
        ((2, 4, 2), "launch record: cluster [2, 4, 2] has 16 blocks; 2 to 8 are possible"),
        ((0, 2, 1), "launch record: cluster [0, 2, 1] has 0 blocks"),
        ((1, 3, 1), "launch record: grid.y is 4, and clusters have 3 blocks along it; whole clusters are required"),
    ],
)
def test_clusters_that_no_grid_is_made_of_are_refused(cluster: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(_RECORD, cluster=cluster)
    assert message in caught.value.message


def test_a_cluster_in_json_is_three_numbers() -> None:
    text = _RECORD.to_json().replace('"shared_bytes"', '"cluster": [2, 1], "shared_bytes"')
    with pytest.raises(ConfigError) as caught:
        LaunchRecord.from_json(text)
    assert "cluster: found [2, 1]; three integers [x, y, z] are required" in caught.value.message
