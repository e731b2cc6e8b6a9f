"""ALU loops that repeat the same operations: results as if every trip ran, at no such cost."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Alu, AluOpcode, Finish, Load, Memory, MicroOp, Store, encode, encode_micro_ops
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference

DEFAULT = VTAConfig()
_ACC_AT, _OUT_AT = 0x10000, 0x30000


def _program(ops: list[MicroOp], *kernels: Alu) -> tuple[bytes, NDArray[np.uint8]]:
    """A stream that fills ACC, runs kernels and stores its first 128 tiles; and a random image for it."""
    image = np.frombuffer(Random(7).randbytes(0x40000), np.uint8).copy()
    table = encode_micro_ops(ops, DEFAULT)
    image[: len(table)] = np.frombuffer(table, np.uint8)
    fills = [
        Load(Memory.UOP, 0, 0, 1, len(ops), len(ops)),
        Load(Memory.ACC, 0, _ACC_AT // DEFAULT.element_bytes("acc"), 1, 2048, 2048),
    ]
    store = Store(Memory.OUT, 0, _OUT_AT // DEFAULT.out_element_bytes, 1, 128, 128)
    return encode([*fills, *kernels, store, Finish()], DEFAULT), image


def _assert_paths_agree(data: bytes, image: NDArray[np.uint8]) -> None:
    fast, slow = image.copy(), image.copy()
    assert execute(data, fast, DEFAULT) == execute_reference(data, slow, DEFAULT)
    assert np.array_equal(fast, slow)


def _alu(opcode: AluOpcode, imm: int | None, ops: int, loops: tuple[int, ...]) -> Alu:
    out, inner, dst_out, dst_in, src_out, src_in = loops
    return Alu(opcode, imm is not None, imm or 0, 0, ops, out, inner, dst_out, dst_in, src_out, src_in)


def _random_case(random: Random) -> tuple[list[MicroOp], list[Alu]]:
    src_from = random.choice([0, 0, 40])
    ops = [MicroOp(random.randrange(8), src_from + random.randrange(8), 0) for _ in range(random.choice([1, 1, 2, 5]))]
    if random.random() < 0.3:
        ops = ops[:2] * random.choice([2, 6])
    kernels: list[Alu] = []
    for _ in range(3):
        factors = [random.choice([0, 0, 0, 1, 3]) for _ in range(4)]
        trips = random.choice([(1, 3), (2, 9), (9, 5), (3, 700), (70, 3), (1, 900)])
        trips = trips if max(trips) < 50 or not any(factors) else (min(trips[0], 4), 9)
        if random.random() < 0.2:
            factors, trips = [random.choice([0, 1]), 0, random.choice([0, 1]), 0], (6, 900)
        imm = random.choice([None, None, 0, 1, 2, 3, 31, 33, -1, -2, -3, -31, -40, 32767, -32768])
        kernels.append(_alu(random.choice(list(AluOpcode)), imm, len(ops), (*trips, *factors)))
    return ops, kernels


@pytest.mark.parametrize("seed", range(60))
def test_random_repeats(seed: int) -> None:
    ops, kernels = _random_case(Random(seed))
    data, image = _program(ops, *kernels)
    _assert_paths_agree(data, image)


@pytest.mark.parametrize("opcode", AluOpcode)
@pytest.mark.parametrize("imm", [None, 3, -3], ids=["tensor", "3", "-3"])
@pytest.mark.parametrize(
    ("ops", "loops"),
    [
        ([(0, 9, 0)], (90, 100, 0, 0, 0, 0)),
        ([(0, 0, 0)], (90, 100, 0, 0, 0, 0)),
        ([(0, 1, 0), (1, 0, 0)], (50, 90, 0, 0, 0, 0)),
        ([(0, 9, 0), (7, 8, 0), (0, 8, 0)], (3, 900, 1, 0, 0, 0)),
        ([(0, 1, 0)], (7, 800, 1, 0, 1, 0)),
        ([(4, 1, 0), (2, 2, 0)], (900, 5, 0, 1, 0, 1)),
        ([(5, 60, 0), (4, 60, 0), (3, 60, 0)], (900, 2, 0, 2, 0, 0)),
    ],
    ids=["disjoint", "itself", "crossed", "inner still", "inner still, overlapping", "outer still", "falling"],
)
def test_repeats_beyond_a_list(
    opcode: AluOpcode, imm: int | None, ops: list[tuple[int, int, int]], loops: tuple[int, ...]
) -> None:
    data, image = _program([MicroOp(*op) for op in ops], _alu(opcode, imm, len(ops), loops))
    _assert_paths_agree(data, image)


@pytest.mark.parametrize("imm", [None, 32767, -32768], ids=["tensor", "32767", "-32768"])
def test_sums_wrap(imm: int | None) -> None:
    """All 32 bits are looked at: the stored byte is cut out by shifts."""
    look = [_alu(AluOpcode.SHR, shift, 1, (1, 1, 0, 0, 0, 0)) for shift in (0, 8, 16, 24)]
    for shift in look:
        sums = _alu(AluOpcode.ADD, imm, 1, (2, 4500, 0, 0, 0, 0))
        raised = _alu(AluOpcode.SHR, -4, 1, (1, 1, 0, 0, 0, 0))
        data, image = _program([MicroOp(0, 9, 0)], sums, raised, sums, raised, sums, shift)
        _assert_paths_agree(data, image)


@pytest.mark.parametrize("opcode", AluOpcode)
@pytest.mark.parametrize("imm", [None, 5], ids=["tensor", "immediate"])
def test_two_hundred_million_operations(opcode: AluOpcode, imm: int | None) -> None:
    """Reading a tile that nothing writes, or itself; the counters count every trip."""
    for op in (MicroOp(0, 9, 0), MicroOp(3, 3, 0)):
        if opcode in {AluOpcode.SHR, AluOpcode.MUL} and imm is None and op.dst == op.src:
            continue
        kernel = _alu(opcode, imm, 1, (16383, 16383, 0, 0, 0, 0))
        data, image = _program([op], kernel)
        assert execute(data, image, DEFAULT)["alu_counter"] == 16383 * 16383


def test_crossed_sums_of_many_trips() -> None:
    """x += y, y += x walks along Fibonacci's numbers and never comes to rest."""
    data, image = _program(
        [MicroOp(0, 1, 0), MicroOp(1, 0, 0)], _alu(AluOpcode.ADD, None, 2, (16383, 16383, 0, 0, 0, 0))
    )
    x, y = image[_ACC_AT : _ACC_AT + 128].reshape(2, 16, 4)[:, :, 0].astype(np.uint8)
    for _ in range(16383 * 16383 % 192):  # Fibonacci's numbers mod 256 repeat after 384
        x = x + y
        y = y + x
    execute(data, image, DEFAULT)
    assert image[_OUT_AT : _OUT_AT + 32].tolist() == [*x.tolist(), *y.tolist()]


def test_wrapped_powers_of_many_trips() -> None:
    """x + n y and x y**n for n = 16383 * 16383, from the stored low bytes."""
    for opcode in (AluOpcode.ADD, AluOpcode.MUL):
        kernel = _alu(opcode, None, 1, (16383, 16383, 0, 0, 0, 0))
        data, image = _program([MicroOp(0, 9, 0)], kernel)
        words = image[_ACC_AT:_OUT_AT].view(np.int32).reshape(-1, 16)
        times = 16383 * 16383
        expected = [
            (x + times * y if opcode is AluOpcode.ADD else x * pow(y, times, 256)) & 255
            for x, y in zip(words[0].tolist(), words[9].tolist(), strict=True)
        ]
        execute(data, image, DEFAULT)
        assert image[_OUT_AT : _OUT_AT + 16].tolist() == expected


def test_strict_runs_find_the_same_hazard() -> None:
    for ops in ([MicroOp(0, 9, 0)], [MicroOp(0, 9, 0), MicroOp(1, 8, 0), MicroOp(0, 7, 0)]):
        data, image = _program(ops, _alu(AluOpcode.ADD, None, len(ops), (40, 50, 0, 0, 0, 0)))
        errors: list[str] = []
        for run in (execute, execute_reference):
            with pytest.raises(ExecutionError) as caught:
                run(data, image.copy(), DEFAULT, strict=True)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]


def test_strict_runs_collapse_repeats_too() -> None:
    ops = [MicroOp(dst, 200 + dst, 0) for dst in range(128)]
    data, image = _program(ops, _alu(AluOpcode.ADD, None, 128, (16383, 16383, 0, 0, 0, 0)))
    assert execute(data, image, DEFAULT, strict=True)["alu_counter"] == 128 * 16383 * 16383
