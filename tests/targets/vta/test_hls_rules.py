"""The HLS design, which some values of TARGET name: what it executes in its own way is not emitted, and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from device_programs import arguments_of

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import DeviceError, ExecutionError
from vtac.evaluate import evaluate
from vtac.targets.vta.isa import Alu, assemble, decode

PYNQ = VTAConfig(target="pynq")
SIM = VTAConfig()

SHIFTS = """#id = affine_map<(i, j) -> (i, j)>
func.func @shifts(%x: tensor<4x32xi8>, %w: tensor<32x16xi8>) -> tensor<4x16xi32> {{
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x16xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<4x16xi32>) -> tensor<4x16xi32>
  %c = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x16xi8>) outs(%i : tensor<4x16xi32>) -> tensor<4x16xi32>
  %s = arith.constant {amount} : i32
  %q = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%c : tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) {{
  ^bb0(%a: i32, %b: i32):
    %r = arith.{operation} %a, %s : i32
    linalg.yield %r : i32
  }} -> tensor<4x16xi32>
  %n = tensor.empty() : tensor<4x16xi32>
  func.return %q : tensor<4x16xi32>
}}
"""


def amounts(program: vtac.VtaProgram) -> list[int]:
    instructions = decode(program.stream.instructions, program.config)
    return [
        found.imm for found in instructions if isinstance(found, Alu) and found.opcode.name == "SHR" and found.use_imm
    ]


@pytest.mark.parametrize(
    ("operation", "amount", "parts"),
    [
        ("shrsi", 9, [9]),
        ("shrsi", 15, [15]),
        ("shrsi", 16, [15, 1]),
        ("shrsi", 31, [15, 15, 1]),
        ("shli", 16, [-16]),
        ("shli", 20, [-16, -4]),
    ],
)
def test_wide_shifts_are_several(operation: str, amount: int, parts: list[int]) -> None:
    text = SHIFTS.format(operation=operation, amount=amount)
    program = vtac.compile(text, target="vta", config=PYNQ)
    assert set(parts) <= set(amounts(program)), "bytes of results are shifted out by more"
    assert all(-16 <= found <= 15 for found in amounts(program))
    arrays = arguments_of(program)
    expected = np.asarray(evaluate(vtac.parse(text), *arrays))
    assert np.array_equal(program(*arrays), expected)
    assert vtac.check(program.stream) == []
    with vtac.devices.open("model:pynq") as device:
        assert np.array_equal(program.to(device)(*arrays), expected)
        ordinary = vtac.compile(text, target="vta", config=SIM)
        if all(-16 <= found <= 15 for found in amounts(ordinary)):
            assert np.array_equal(ordinary.to(device)(*arrays), expected)
            return
        message = r"shift by -?\d+; the HLS design takes the low 5 bits .* -16 to 15: compile it with TARGET pynq"
        with pytest.raises(DeviceError, match=message):
            ordinary.to(device)


STREAMS = {
    "shift": ("alu.shr imm 16, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)", "so -16 to 15"),
    "pad": ("load.wgt sram 0 <- dram 0x10, 1 x 1 stride 1, pad 1 0 0 0", "the HLS design pads no weights"),
    "uop-range": ("load.uop sram 0 <- dram 0x400, 2 x 1 stride 1", "the HLS design loads one row of micro-ops"),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_what_the_design_executes_in_its_own_way_is_refused(kind: str) -> None:
    line, message = STREAMS[kind]
    prologue = "load.uop sram 0 <- dram 0x400, 1 x 1 stride 1\nload.acc sram 0 <- dram 0x40, 1 x 1 stride 1\n"
    words = assemble(f"{prologue}{line}\nfinish\n", PYNQ)
    image = np.zeros(1 << 14, np.uint8)
    with pytest.raises(ExecutionError, match=message) as refused:
        vtac.execute(words, image, PYNQ, strict=True)
    assert (refused.value.kind, refused.value.index) == (kind, 2)
    assert [found.kind for found in vtac.check(words, PYNQ) if message in found.message] == [kind]
    vtac.execute(words, image, SIM, strict=True)
    vtac.execute(words, image, PYNQ)


def test_shifts_by_tensors_are_judged_by_what_both_mean() -> None:
    """Amounts from memory: 15 shifts right everywhere, 16 shifts left on the HLS design, -16 to the left too."""
    text = (
        "load.uop sram 0 <- dram 0x400, 1 x 1 stride 1\nload.acc sram 0 <- dram 0x40, 1 x 2 stride 2\n"
        "alu.shr uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)\nfinish\n"
    )
    for amount, is_legal in ((15, True), (16, False), (-16, True), (-17, False)):
        image = np.zeros(1 << 14, np.uint8)
        image[0x1000:].view("<i4")[0] = 1 << 11  # the micro-op's src is tile 1
        image[0x1040:0x1080].view("<i4")[:] = amount
        words = assemble(text, PYNQ)
        if is_legal:
            vtac.execute(words, image, PYNQ, strict=True)
            continue
        with pytest.raises(ExecutionError, match=f"shifts by {amount}; the hardware takes amounts from -16 to 15 here"):
            vtac.execute(words, image, PYNQ, strict=True)


def test_boards_of_the_design_have_its_rules() -> None:
    assert [name for name in ("sim", "pynq", "ultra96", "zcu104", "de10nano") if replace(SIM, target=name).is_hls] == [
        "pynq",
        "ultra96",
        "zcu104",
    ]
