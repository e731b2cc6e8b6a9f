"""What an agent launches: streams that end under any timing, leave nothing, and stay in their client's block."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from device_programs import EXAMPLES, device_program
from device_streams import ACCUMULATE, CONFIG, words

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.region import Block
from vtac.devices.agent.streams import check_stream, element_bytes, index_bits, layout
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.machine.prepare import prepare

BLOCK = Block(0x1000, 0x2000)
FIELDS: dict[str, object] = dict(CONFIG.to_fields())


def judged(data: bytes, block: Block = BLOCK, *, simulated: bool = False) -> str:
    """The kind of what an agent refuses a stream for, empty where it launches it."""
    try:
        check_stream(data, [block], FIELDS, simulated=simulated)
    except Refusal as refusal:
        return refusal.kind
    return ""


LINES: list[str] = [str(line) for line in ACCUMULATE.splitlines()]
REFUSED: dict[str, list[str]] = {
    "opcode": [*LINES[:-1], "word"],
    "finish": LINES[:-1],
    "after-finish": [*LINES, "load.uop nop"],
    "early-finish": [*LINES[:3], LINES[3].replace("push_prev", ""), "finish"],
    "deadlock": [line.replace("push_next", "") for line in LINES],
    "tokens": [*LINES[:4], "finish"],
    "dram-below": [LINES[0].replace("0x800", "0x3ff"), *LINES[1:]],
    "dram-behind": [*LINES[:3], LINES[3].replace("0x100,", "0x2fd,"), *LINES[4:]],
    "stride-behind": ["load.inp sram 0 <- dram 0x100, 3 x 1 stride 257", "finish"],
    "zero-rows": ["load.acc sram 0 <- dram 0x40, 0 x 4 stride 4", "finish"],
    "memory": ["load.acc8 sram 0 <- dram 0x100, 1 x 1 stride 1", "finish"],
    "alu-opcode": [LINES[2].replace("alu.add", "alu.mul").replace("push_next", ""), "finish"],
    "dependence": ["load.inp nop push_prev", "finish"],
    "token-limit": [*["load.inp nop push_next"] * 256, *["load.uop nop pop_prev"] * 256, "finish"],
    "fetch": [*["load.inp nop push_next"], *["load.uop nop pop_next"] * 600, "store.out nop push_prev", "finish"],
}
KINDS = {
    "after-finish": "finish",
    "early-finish": "finish",
    "dram-below": "dram-range",
    "dram-behind": "dram-range",
    "stride-behind": "dram-range",
    "fetch": "deadlock",
}


def _encoded(lines: list[str]) -> bytes:
    return b"".join(b"\x07" + bytes(15) if line == "word" else words(f"{line}\n") for line in lines)


def test_a_sound_stream_is_launched() -> None:
    assert judged(words(ACCUMULATE)) == ""


@pytest.mark.parametrize("name", REFUSED)
def test_a_stream_that_hardware_does_not_survive_is_refused(name: str) -> None:
    assert judged(_encoded(REFUSED[name])) == KINDS.get(name, name)


@pytest.mark.parametrize("data", [b"", bytes(15), words("finish\n") + b"\0"])
def test_lengths(data: bytes) -> None:
    assert judged(data) == "length"


def test_the_edges_of_a_block_are_inside() -> None:
    assert (
        judged(words("store.out sram 0 -> dram 0x2ff, 1 x 1 stride 1 push_prev\nload.uop nop pop_next\nfinish\n")) == ""
    )
    assert judged(words("load.wgt sram 0 <- dram 0x10, 2 x 1 stride 31\nfinish\n")) == "finish"


@pytest.mark.parametrize("name", ["vta_vadd", "vta_matmul", "vta_conv2d"])
def test_what_the_compiler_makes_is_launched(name: str) -> None:
    for stream in device_program(name).devices.values():
        last = stream.buffers[-1]
        assert judged(stream.instructions, Block(0x1000, last.address + last.nbytes - 0x1000)) == ""
    assert (EXAMPLES / f"{name}.mlir").exists()


def test_tokens_are_judged_as_strict_execution_judges_them() -> None:
    """Two implementations, one verdict: what strict execution takes, an agent launches, and the reverse."""
    generator = random.Random(7)
    lines = ["load.inp nop{0}", "load.uop nop{1}", "store.out nop{2}"]
    bits = [("pop_next", "push_next"), ("pop_prev", "pop_next", "push_prev", "push_next"), ("pop_prev", "push_prev")]
    verdicts: set[bool] = set()
    for _ in range(300):
        stream = "".join(
            lines[unit].format(*[" " + " ".join(bit for bit in bits[unit] if generator.random() < 0.4)] * 3) + "\n"
            for unit in generator.choices(range(3), k=generator.randint(1, 6))
        )
        data = words(f"{stream}finish\n")
        try:
            prepare(data, CONFIG, True)
            is_sound = True
        except ExecutionError:
            is_sound = False
        kind = judged(data)
        assert is_sound == (kind in ("", "finish")), stream
        verdicts.add(is_sound)
    assert verdicts == {True, False}


@pytest.mark.parametrize(
    "config",
    [
        VTAConfig(),
        VTAConfig(encoding="chisel", log_inp_buff_size=12),
        VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16),
    ],
)
def test_sizes_are_those_of_the_configuration(config: VTAConfig) -> None:
    fields: dict[str, object] = dict(config.to_fields())
    sizes = {"uop": 4, "wgt": config.wgt_element_bytes, "inp": config.inp_element_bytes}
    sizes |= {"acc": config.acc_element_bytes, "out": config.out_element_bytes}
    assert element_bytes(fields) == sizes
    for memory in ("uop", "inp", "wgt", "acc"):
        assert index_bits(fields, memory) == config.field_bits(memory)


def test_a_layout_is_what_instructions_are_made_for() -> None:
    """However a configuration says so: the default's fields are the Chisel decoder's."""
    assert layout(FIELDS) == layout({**FIELDS, "ENCODING": "chisel", "TARGET": "de10nano", "QUEUE_DEPTH": 64})
    assert layout(FIELDS) == layout({**FIELDS, "LOG_BLOCK_IN": 4})
    small: dict[str, object] = {**FIELDS, "LOG_INP_BUFF_SIZE": 12}
    assert layout(small) != layout({**small, "ENCODING": "chisel"})


@pytest.mark.parametrize("value", [-1, 1 << 40, "4", None])
def test_a_configuration_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(Refusal, match="LOG_BLOCK of the configuration is"):
        check_stream(words("finish\n"), [], {"LOG_BLOCK": value}, simulated=True)
    assert Path(__file__).exists()
