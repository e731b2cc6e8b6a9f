"""Fields of a configuration beyond the reference's: two blocks, encodings, queues, bursts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError, ConfigError
from vtac.targets.vta.isa import Opcode, instruction_layout, micro_op_layout

SMALL = {"log_uop_buff_size": 10, "log_inp_buff_size": 12, "log_wgt_buff_size": 15, "log_acc_buff_size": 14}


def test_what_is_not_set_is_not_written() -> None:
    assert len(VTAConfig().to_fields()) == 11
    config = VTAConfig(encoding="chisel", log_block_in=5, queue_depth=64, outstanding_bursts=8, log_inp_buff_size=16)
    stated = config.to_fields()
    assert {name: stated[name] for name in list(stated)[11:]} == {
        "ENCODING": "chisel",
        "LOG_BLOCK_IN": 5,
        "QUEUE_DEPTH": 64,
        "OUTSTANDING_BURSTS": 8,
    }
    assert VTAConfig.from_fields(dict(stated)) == config
    assert VTAConfig.from_fields(dict(config.all_fields())) == config


def test_a_file_and_a_module_state_them(tmp_path: Path) -> None:
    config = VTAConfig(encoding="chisel", log_block_out=5, queue_depth=32, log_wgt_buff_size=17)
    path = tmp_path / "vta_config.json"
    path.write_text(json.dumps(config.to_fields()))
    assert VTAConfig.from_json(path) == config
    module = vtac.parse(
        "builtin.module attributes {vta.config = {LOG_BLOCK_IN = 5 : i64, ENCODING = 'chisel'}} {\n}\n".replace(
            "'", '"'
        )
    )
    with pytest.raises(CompileError, match=r"has ENCODING = chisel.*derived"):
        vtac.compile(module, config=VTAConfig(log_block_in=5))


@pytest.mark.parametrize(
    ("given", "block_in", "block_out"),
    [
        ({}, 16, 16),
        ({"log_block": 5}, 32, 32),
        ({"log_block_in": 5}, 32, 16),
        ({"log_block_out": 5}, 16, 32),
        ({"log_block": 3, "log_block_in": 5, "log_block_out": 4}, 32, 16),
        ({"log_block": 3, "log_block_in": 5, "log_block_out": 5}, 32, 32),
    ],
)
def test_blocks(given: dict[str, int], block_in: int, block_out: int) -> None:
    config = VTAConfig(**cast(Any, given))
    assert (config.block_in, config.block_out) == (block_in, block_out)
    assert config.wgt_element_bytes == block_in * block_out
    assert (config.inp_element_bytes, config.acc_element_bytes) == (block_in, 4 * block_out)
    sides = (block_in.bit_length() - 1, block_out.bit_length() - 1)
    assert config == VTAConfig(log_block_in=sides[0], log_block_out=sides[1])
    assert replace(config, log_batch=1) == VTAConfig(log_batch=1, log_block_in=sides[0], log_block_out=sides[1])


def test_the_chisel_decoder_has_the_fields_of_the_default_whatever_its_memories_hold() -> None:
    default, small = VTAConfig(), VTAConfig(**cast(Any, SMALL), encoding="chisel")
    for opcode in Opcode:
        assert instruction_layout(small, opcode) == instruction_layout(default, opcode)
    assert micro_op_layout(small) == micro_op_layout(default)
    derived = VTAConfig(**cast(Any, SMALL))
    assert instruction_layout(derived, Opcode.GEMM) != instruction_layout(default, Opcode.GEMM)
    assert small.capacity("inp") == derived.capacity("inp") == 256


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "encoding": ({"encoding": "hls"}, "ENCODING is 'hls'; derived or chisel is required"),
    "no text": ({"encoding": 3}, "ENCODING is 3; expected a string"),
    "depth": ({"queue_depth": 0}, "QUEUE_DEPTH is 0; 1 to 65536 is required"),
    "bursts": ({"outstanding_bursts": 257}, "OUTSTANDING_BURSTS is 257; 1 to 256 is required"),
    "block": ({"log_block_in": 33}, "LOG_BLOCK_IN is 33; a log2 between 0 and 32 is required"),
    "text for a block": ({"log_block_out": "5"}, "LOG_BLOCK_OUT is '5'; expected an integer"),
    "too deep": (
        {"encoding": "chisel", "log_inp_buff_size": 16},
        "LOG_INP_BUFF_SIZE: 4,096 elements need indices of 12 bits; the Chisel decoder has 11: make the memory smaller",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    given, message = REFUSED[name]
    with pytest.raises(ConfigError) as refused:
        VTAConfig(**cast(Any, given))
    assert str(refused.value).startswith(message)
