"""Hardware configurations at their extremes: legal ones read, print and compile; others are refused, each way alike."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

import numpy as np

import vtac
from fuzz.case import Json, Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.targets.linalg import printed_form
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError
from vtac.preparation import prepare, stated_hardware
from vtac.targets.registry import find_target
from vtac.targets.vta.isa import assemble, disassemble

_PROGRAM = """func.func @f(%a: tensor<3x20xi8>, %w: tensor<7x20xi8>) -> tensor<3x7xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x7xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<3x7xi32>) -> tensor<3x7xi32>
  %m = linalg.matmul_transpose_b ins(%a, %w : tensor<3x20xi8>, tensor<7x20xi8>) outs(%i : tensor<3x7xi32>)
       -> tensor<3x7xi32>
  func.return %m : tensor<3x7xi32>
}
"""
_DEFAULT = cast(Payload, VTAConfig().to_fields())
_TILES = ("LOG_BATCH", "LOG_BLOCK")
_BUFFERS = ("LOG_UOP_BUFF_SIZE", "LOG_INP_BUFF_SIZE", "LOG_WGT_BUFF_SIZE", "LOG_ACC_BUFF_SIZE")
_ODD: tuple[Json, ...] = (-1, 33, 1 << 70, 4.0, "4", None, True, [4], {}, "", "x" * 100)


class ConfigurationTarget:
    name = "configuration"
    features = ("tiles", "buffers", "edges", "odd", "missing", "unknown", "names")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        fields = dict(_DEFAULT)
        if "tiles" in features:
            fields["LOG_BATCH"], fields["LOG_BLOCK"] = (
                random.choice([0, 0, 1, 2, 3]),
                random.choice([0, 1, 2, 3, 4, 5, 6]),
            )
        if "edges" in features:
            _to_the_edge(random, fields)
        elif "buffers" in features:
            for name in _BUFFERS:
                fields[name] = random.choice([0, 1, 2, *range(6, 20), 32])
        if "names" in features and random.random() < 0.2:
            fields[random.choice(("TARGET", "HW_VER"))] = random.choice(("", "ä", 'a"b\\', "pynq", "\n"))
        if "odd" in features and random.random() < 0.3:
            fields[random.choice(list(fields))] = random.choice(_ODD)
        if "missing" in features and random.random() < 0.3:
            del fields[random.choice(list(fields))]
        if "unknown" in features and random.random() < 0.2:
            fields[random.choice(("LOG_OUT_WIDTH", "log_block", ""))] = 4
        return {"fields": fields, "host": random.random() < 0.8}

    def judge(self, payload: Payload) -> Outcome:
        fields = cast(Payload, payload["fields"])
        try:
            config = VTAConfig.from_fields(dict(fields), "fuzz")
        except ConfigError as error:
            _judge_refusal(fields)
            return Outcome("refused", detail=str(error))
        if not is_legal(fields):
            raise MismatchError("configuration against the rules of the encoding", f"{fields} was taken")
        _judge_round_trips(config)
        return _judge_program(config, host=bool(payload["host"]))

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        fields = cast(Payload, payload["fields"])
        for name in fields:
            if name not in _DEFAULT:
                yield {**payload, "fields": {other: fields[other] for other in fields if other != name}}
            elif fields[name] != _DEFAULT[name]:
                yield {**payload, "fields": {**fields, name: _DEFAULT[name]}}
        if set(_DEFAULT) - set(fields):
            yield {**payload, "fields": {**_DEFAULT, **fields}}


def is_legal(fields: Payload) -> bool:
    """Whether the machine can have these fields, from the widths of the encoding alone, in log2 throughout."""
    if not set(fields) <= set(_DEFAULT):
        return False
    complete = {**_DEFAULT, **fields}
    texts = [complete[name] for name in ("TARGET", "HW_VER")]
    logs = {name: value for name, value in complete.items() if name.startswith("LOG_")}
    if not all(isinstance(text, str) for text in texts) or not all(type(value) is int for value in logs.values()):
        return False
    numbers = cast("dict[str, int]", logs)
    if [numbers[f"LOG_{name}_WIDTH"] for name in ("INP", "WGT", "ACC")] != [3, 3, 5]:
        return False
    batch, block = (numbers[name] for name in _TILES)
    element = {"UOP": 2, "INP": batch + block, "WGT": 2 * block, "ACC": batch + block + 2}
    uop, inp, wgt, acc = (numbers[f"LOG_{name}_BUFF_SIZE"] - log for name, log in element.items())
    return (
        all(0 <= number <= 32 for number in numbers.values())
        and min(uop, inp, wgt, acc) >= 0
        and max(inp, wgt, acc) <= 16  # sram_base
        and acc + max(acc, inp) + wgt <= 32  # a micro-op
        and 8 + uop + (uop + 1) + 2 * 14 <= 64  # the low half of GEMM and ALU
        and 2 * (acc + inp + wgt) <= 64  # the factors of GEMM
        and 4 * acc + 20 <= 64  # the factors of ALU, its opcode and immediate
    )


def _to_the_edge(random: Random, fields: Payload) -> None:
    """Buffers that hold as few elements as can be, as many, or one power of two fewer or more than that."""
    batch, block = (cast(int, fields[name]) for name in _TILES)
    elements = {"UOP": 2, "INP": batch + block, "WGT": 2 * block, "ACC": batch + block + 2}
    most = {"UOP": 13, "INP": 16, "WGT": 16, "ACC": 11}
    for name, log in elements.items():
        depth = random.choice([0, 1, 4, most[name] // 2, most[name] - 1, most[name], most[name] + 1, -1])
        fields[f"LOG_{name}_BUFF_SIZE"] = max(log + depth, 0)


def _judge_refusal(fields: Payload) -> None:
    """What is refused as fields is illegal, and refused as a file and as text of a module, too."""
    if is_legal(fields):
        raise MismatchError("configuration against the rules of the encoding", f"{fields} was refused")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vta_config.json"
        path.write_text(json.dumps(fields))
        try:
            VTAConfig.from_json(path)
        except ConfigError:
            return
    raise MismatchError("configuration as a file", f"{fields} was taken")


def _judge_round_trips(config: VTAConfig) -> None:
    """As fields, as a file and as a module's attribute it is the same record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vta_config.json"
        path.write_text(json.dumps(config.to_fields()))
        read = VTAConfig.from_json(path)
    module = prepare(_PROGRAM, find_target("vta"), config, None)
    stated = stated_hardware(vtac.parse(printed_form(module)))
    for way, found in {
        "fields": VTAConfig.from_fields(dict(config.to_fields())),
        "file": read,
        "module": stated,
    }.items():
        if found != config:
            raise MismatchError(f"configuration as {way}", f"{config!r} became {found!r}")


def _judge_program(config: VTAConfig, *, host: bool) -> Outcome:
    """A small product compiles on it and is right, or does not fit it, which a message says."""
    try:
        program = vtac.compile(_PROGRAM, config=config, host=host)
    except vtac.VtacError as error:
        return Outcome("refused", detail=str(error), reach=("configuration legal",))
    random = np.random.default_rng(0)
    left, right = (random.integers(-128, 128, shape).astype(np.int8) for shape in ((3, 20), (7, 20)))
    if not np.array_equal(np.asarray(program(left, right)), left.astype(np.int32) @ right.T.astype(np.int32)):
        raise MismatchError("program against numpy", f"on {config.to_fields()}")
    for device in program.devices.values():
        if vtac.check(device):
            raise MismatchError("checker on a compiled stream", vtac.check(device)[0].message)
        if assemble(disassemble(device.instructions, config), config) != device.instructions:
            raise MismatchError("assembly round trip", f"the bytes differ on {config.to_fields()}")
    reach = ("configuration legal", "configuration device" if program.devices else "configuration host")
    return Outcome("accepted", reach=reach)


TARGET = ConfigurationTarget()
