"""VTAConfig refuses files and arguments that are no configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError

TEXTS = {
    "deep": ("[" * 100_000, "the JSON is nested too deeply; a vta_config.json is one object of numbers and strings"),
    "deep field": ('{"TARGET": ' + "[" * 100_000, "the JSON is nested too deeply; "),
    "many digits": (
        '{"LOG_BATCH": ' + "1" * 5000 + "}",
        "a number has too many digits to be read; a log2 between 0 and 32 is required",
    ),
    "duplicate": (
        '{"LOG_BATCH": 0, "LOG_BLOCK": 4, "LOG_BATCH": 1}',
        "LOG_BATCH is given more than once; keep one of its values",
    ),
    "nested value": ('{"TARGET": ' + "[" * 500 + "]" * 500 + "}", "TARGET is [[[[[[[...]]]]]]]; expected a string"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_refused_files(case: str, tmp_path: Path) -> None:
    text, message = TEXTS[case]
    file = tmp_path / "vta_config.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        VTAConfig.from_json(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_path_with_a_nul() -> None:
    with pytest.raises(ConfigError) as caught:
        VTAConfig.from_json("a\0b")
    expected = "cannot read the configuration 'a\\x00b': embedded null byte; give the path of a file"
    assert str(caught.value) == expected


ARGUMENTS: dict[str, tuple[dict[str, object], str]] = {
    "text": ({"log_batch": "0"}, "LOG_BATCH is '0'; expected an integer"),
    "fraction": ({"log_batch": 0.0}, "LOG_BATCH is 0.0; expected an integer"),
    "bool": ({"log_batch": True}, "LOG_BATCH is True; expected an integer"),
    "width": ({"log_inp_width": 3.0}, "LOG_INP_WIDTH is 3.0; expected an integer"),
    "target": ({"target": None}, "TARGET is None; expected a string"),
    "version": ({"hw_ver": 2}, "HW_VER is 2; expected a string"),
    "huge": ({"log_batch": 10**5000}, "LOG_BATCH is an integer of 16610 bits; a log2 between 0 and 32 is required"),
    "negative": ({"log_batch": -1}, "LOG_BATCH is -1; a log2 between 0 and 32 is required"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_refused_arguments(case: str) -> None:
    arguments, message = ARGUMENTS[case]
    with pytest.raises(ConfigError) as caught:
        VTAConfig(**cast(Any, arguments))
    assert str(caught.value) == message
