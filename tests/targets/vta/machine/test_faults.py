"""Every fault that a stream can have in both modes: its kind, the instruction named, and the text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference
from vtac.targets.vta.proof import check

DEFAULT = VTAConfig()
Run = Callable[[bytes, NDArray[np.uint8], VTAConfig], dict[str, int | dict[str, int]]]
BOTH = pytest.mark.parametrize("run", [execute, execute_reference], ids=["fast", "reference"])
FINISH = bytes([3]) + bytes(15)
ONE = "for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)"
ONE_ALU = "for 1 (dst+0 src+0), for 1 (dst+0 src+0)"


def fault_of(run: Run, data: bytes, nbytes: int = 0x1000, fill: int = 0) -> ExecutionError:
    """The error of running a stream on an image of `nbytes` equal bytes."""
    with pytest.raises(ExecutionError) as caught:
        run(data, np.full(nbytes, fill, np.uint8), DEFAULT)
    return caught.value


@BOTH
@pytest.mark.parametrize(
    ("text", "kind", "index", "message"),
    [
        ("load.out sram 0 <- dram 0, 1 x 1 stride 1\nfinish", "memory", 0, "memory id OUT cannot be loaded"),
        ("store.acc sram 0 -> dram 0, 1 x 1 stride 1\nfinish", "memory", 0, "memory id ACC cannot be stored"),
        ("load.inp nop pop_prev\nfinish", "dependence", 0, "the load unit has no previous unit"),
        ("load.wgt nop push_prev\nfinish", "dependence", 0, "pop_prev and push_prev must be 0"),
        ("finish\nstore.uop nop push_next", "dependence", 1, "the store unit has no next unit"),
        ("store.out sram 0 -> dram 0, 1 x 1 stride 1, pad 0 0 1 0\nfinish", "pad", 0, "a STORE has no pads"),
        (
            "load.inp sram 2047 <- dram 0, 1 x 2 stride 2\nfinish",
            "sram-range",
            0,
            "instruction 0 (load.inp sram 2047 <- dram 0x0, 1 x 2 stride 2): the block ends at SRAM element 2049; "
            "the memory holds 2048",
        ),
        ("load.wgt sram 1020 <- dram 0, 1 x 2 stride 2, pad 1 1 0 0\nfinish", "sram-range", 0, "element 1026"),
        ("load.uop sram 8191 <- dram 0, 1 x 2 stride 2\nfinish", "sram-range", 0, "the memory holds 8192"),
        ("store.out sram 2000 -> dram 0, 7 x 7 stride 0\nfinish", "sram-range", 0, "element 2049"),
        (
            "load.acc sram 0 <- dram 63, 1 x 2 stride 2\nfinish",
            "dram-range",
            0,
            "up to byte 0x1040; the image has 0x1000",
        ),
        ("store.out sram 0 -> dram 0x100, 1 x 1 stride 1\nfinish", "dram-range", 0, "touches DRAM up to byte 0x1010"),
        ("load.inp sram 0 <- dram 0xffffffff, 1 x 1 stride 1\nfinish", "dram-range", 0, "byte 0x1000000000"),
        (f"gemm uops 8191:8193, {ONE}\nfinish", "uop-range", 0, "micro-ops end at 8193; the UOP memory holds 8192"),
        ("load.inp nop", "finish", 0, "the stream has no FINISH; it must be the last instruction"),
        (
            "finish\nload.inp nop\nfinish",
            "finish",
            1,
            "stands after the FINISH at 0, which must be last",
        ),
        (
            "load.inp nop\nfinish pop_prev",
            "deadlock",
            1,
            "deadlock after 1 instructions: compute waits at instruction 1 for a token in l2g",
        ),
        (
            "store.uop nop pop_prev\nload.inp nop pop_next\nload.uop nop pop_prev push_next\nfinish",
            "deadlock",
            0,
            "load waits at instruction 1 for a token in g2l; compute waits at instruction 2 for a token in l2g; "
            "store waits at instruction 0 for a token in g2s",
        ),
    ],
)
def test_faults_of_fields_and_tokens(run: Run, text: str, kind: str, index: int, message: str) -> None:
    fault = fault_of(run, assemble(text, DEFAULT))
    assert (fault.kind, fault.index) == (kind, index)
    assert message in fault.message


@BOTH
@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            "gemm uops 0:1, for 2 (dst+0 src+0 wgt+0), for 2 (dst+1 src+0 wgt+0)",
            "dst reaches index 2048; ACC holds 2048",
        ),
        ("gemm.reset uops 0:1, for 2 (dst+1 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)", "dst reaches index 2048"),
        ("gemm uops 1:2, for 3 (dst+0 src+1024 wgt+0), for 1 (dst+0 src+0 wgt+0)", "src reaches index 2048; INP holds"),
        ("gemm uops 1:2, for 3 (dst+0 src+0 wgt+512), for 1 (dst+0 src+0 wgt+0)", "wgt reaches index 1024; WGT holds"),
        ("alu.add imm 1, uops 1:2, for 1 (dst+0 src+0), for 3 (dst+0 src+1024)", "src reaches index 2048; ACC holds"),
    ],
)
def test_an_index_out_of_range(run: Run, operation: str, message: str) -> None:
    image = np.zeros(0x1000, np.uint8)
    image[:4] = np.frombuffer((2047).to_bytes(4, "little"), np.uint8)
    data = assemble(f"load.uop sram 0 <- dram 0, 1 x 2 stride 2\n{operation}\nfinish", DEFAULT)
    with pytest.raises(ExecutionError) as caught:
        run(data, image, DEFAULT)
    assert (caught.value.kind, caught.value.index) == ("index-range", 1)
    assert message in caught.value.message


@BOTH
def test_a_reset_ignores_source_and_weight(run: Run) -> None:
    data = assemble(f"load.uop sram 0 <- dram 0, 1 x 1 stride 1\ngemm.reset uops 0:1, {ONE}\nfinish", DEFAULT)
    image = np.zeros(16, np.uint8)
    image[:4] = np.frombuffer((2047 << 11 | 1023 << 22).to_bytes(4, "little"), np.uint8)
    assert run(data, image, DEFAULT)["gemm_counter"] == 0


@BOTH
@pytest.mark.parametrize(
    ("data", "kind", "index", "message"),
    [
        (b"", "finish", None, "the stream is empty; it must end with FINISH"),
        (FINISH[:-1], "length", 0, "15 bytes, 15 more than 0 instructions"),
        (bytes([6]) + bytes(15) + FINISH, "opcode", 0, "instruction 0: unknown opcode 6"),
        (bytes([0, 3]) + bytes(14) + FINISH, "memory", 0, "instruction 0: unknown memory id 6"),
    ],
)
def test_bytes_that_are_no_stream(run: Run, data: bytes, kind: str, index: int | None, message: str) -> None:
    fault = fault_of(run, data)
    assert (fault.kind, fault.index) == (kind, index)
    assert message in fault.message


@BOTH
@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([0, 1], "cannot execute on a list; a memory image is a writeable, contiguous, one-dimensional numpy array"),
        (np.zeros(4, np.int8), "cannot execute on a int8 array of shape (4,)"),
        (np.zeros((4, 4), np.uint8), "cannot execute on a uint8 array of shape (4, 4)"),
        (np.zeros(8, np.uint8)[::2], "an array that is not contiguous"),
        (np.frombuffer(bytes(4), np.uint8), "an array that is read-only"),
    ],
)
def test_images_that_cannot_be_run_on(run: Run, image: NDArray[np.uint8], message: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(FINISH, image, DEFAULT)
    assert (caught.value.kind, caught.value.index) == ("image", None)
    assert message in caught.value.message


@BOTH
def test_a_stream_that_is_no_bytes(run: Run) -> None:
    with pytest.raises(ExecutionError, match="cannot execute a str; an instruction stream is bytes"):
        run("finish", np.zeros(4, np.uint8), DEFAULT)  # pyright: ignore[reportArgumentType]


@BOTH
def test_the_earliest_instruction_at_fault_is_named(run: Run) -> None:
    text = f"load.inp nop\nload.out nop\ngemm uops 0:9000, {ONE}\nload.inp nop pop_prev\nfinish"
    assert fault_of(run, assemble(text, DEFAULT)).index == 1
    text = f"alu.add imm 1, uops 0:9000, {ONE_ALU}\nload.out nop\nfinish"
    assert fault_of(run, assemble(text, DEFAULT)).index == 0


@BOTH
def test_a_fault_is_an_error_each_time(run: Run) -> None:
    data = assemble("load.out nop\nfinish", DEFAULT)
    assert [str(fault_of(run, data)) for _ in range(3)] == [str(fault_of(run, data))] * 3


@BOTH
def test_a_configuration_that_is_none(run: Run) -> None:
    with pytest.raises(ExecutionError, match="cannot execute for a NoneType; a VTAConfig is required"):
        run(FINISH, np.zeros(4, np.uint8), None)  # pyright: ignore[reportArgumentType]


def test_checking_what_is_no_stream() -> None:
    with pytest.raises(VtacError, match="cannot check a str: pass a program, or instruction words as bytes"):
        check("finish")  # pyright: ignore[reportArgumentType]
