"""The launch record: round trips and refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
