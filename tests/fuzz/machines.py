"""Machines and images that fit each other exactly, or by one tile too much or too little.

A buffer is shrunk to a few tiles, and extents are solved so that the tiles of a tensor are as many, one more or one
less: what lies at a limit of the machine stays small.
"""

from __future__ import annotations

from random import Random
from typing import cast

from fuzz.case import Payload
from fuzz.configurations import configuration, draw_fields, legal
from fuzz.networks import Node

Draw = tuple[Payload, list[int], "Node | None"]
"""Fields of a configuration, the shape of an image, and a first node that belongs to them."""


def draw_machine(random: Random, features: frozenset[str]) -> Draw:
    """A machine and the shape of a first input for it."""
    fields = draw_fields(random, features)
    if "limits" in features and random.random() < 0.05:
        return _at_loop_limit(random, fields)
    if "capacity" in features and random.random() < 0.6:
        return random.choice((_full_inputs, _full_accumulators, _full_weights, _few_micro_ops))(random, fields)
    return fields, _small_image(random, features, 1 << cast(int, fields["LOG_BLOCK"])), None


def _small_image(random: Random, features: frozenset[str], block: int) -> list[int]:
    """Rows of a matrix, matrices, or an image; channels around multiples of a block."""
    ranks = [4, 4, 4, *([2, 2] if "product" in features else []), *([3] if "batch_product" in features else [])]
    rank = random.choice(ranks)
    wide = max(random.choice([1, 3, block - 1, block, block, block + 1, 2 * block]), 1)
    batch = random.choice([1, 2, 3, 4, 5]) if "batch" in features else 1
    if rank == 2:
        return [random.choice([1, 2, 4, 5, 17]), random.choice([1, 7, block, block + 1, 3 * block, 50])]
    if rank == 3:
        return [random.choice([1, 2, 3, 8, 9]), random.randint(1, 9), wide]
    rows, columns = random.randint(1, 9), random.randint(1, 9)
    return [batch, rows, columns, wide] if "channels_last" in features else [batch, wide, rows, columns]


def _factors(random: Random, number: int, count: int) -> list[int]:
    """So many factors of a number, in random order."""
    factors: list[int] = []
    for _ in range(count - 1):
        factors.append(random.choice([n for n in range(1, number + 1) if number % n == 0]))
        number //= factors[-1]
    factors.append(number)
    random.shuffle(factors)
    return factors


def _shrunk(random: Random, fields: Payload, memory: str) -> int:
    """A number of tiles at the capacity of a memory that holds 4 to 64 of them."""
    element = configuration(fields).element_bytes(memory)  # pyright: ignore[reportArgumentType]
    log_tiles = random.randint(2, 6)
    fields[f"LOG_{memory.upper()}_BUFF_SIZE"] = element.bit_length() - 1 + log_tiles
    return (1 << log_tiles) + random.choice([-1, 0, 0, 1])


def _full_inputs(random: Random, fields: Payload) -> Draw:
    """An image of as many input tiles as the buffer holds."""
    tiles, block = _shrunk(random, fields, "inp"), 1 << cast(int, fields["LOG_BLOCK"])
    channels, rows, columns = _factors(random, tiles, 3)
    return fields, [1 << cast(int, fields["LOG_BATCH"]), channels * block, rows, columns], None


def _full_accumulators(random: Random, fields: Payload) -> Draw:
    """An image whose sum with itself has as many tiles as the accumulators."""
    tiles, block = _shrunk(random, fields, "acc"), 1 << cast(int, fields["LOG_BLOCK"])
    channels, rows, columns = _factors(random, tiles, 3)
    node: Node = {
        "op": "residual", "name": "v", "args": ["x0", "x0"], "shifts": [0, 0], "factors": [1, 1], "operator": "addi",
        "unsigned": False,
    }  # fmt: skip
    return fields, [1 << cast(int, fields["LOG_BATCH"]), channels * block, rows, columns], node


def _full_weights(random: Random, fields: Payload) -> Draw:
    """A convolution of as many weight tiles as the buffer holds."""
    tiles, block = _shrunk(random, fields, "wgt"), 1 << cast(int, fields["LOG_BLOCK"])
    channels, features, rows, columns = _factors(random, tiles, 4)
    node: Node = {
        "op": "convolution", "name": "v", "args": ["x0"], "layout": "nchw", "taps": [rows, columns], "strides": [1, 1],
        "dilations": [1, 1], "pads": [0] * 4, "stretch": 1, "groups": 1, "channels": features * block, "order": "fcuv",
        "form": "named", "zeros": [0, 0], "weights": {"constant": False, "seed": random.randrange(1 << 30)},
        "start": {"kind": "number", "number": 0, "wide": False},
    }  # fmt: skip
    shape = [1, channels * block, rows + random.randrange(3), columns + random.randrange(3)]
    return fields, shape, node


def _few_micro_ops(random: Random, fields: Payload) -> Draw:
    """A machine of 2 to 16 micro-ops."""
    fields["LOG_UOP_BUFF_SIZE"] = random.randint(3, 6)
    block = 1 << cast(int, fields["LOG_BLOCK"])
    return fields, [1, random.choice([1, 2]) * block, random.randint(1, 8), random.randint(1, 8)], None


def _at_loop_limit(random: Random, fields: Payload) -> Draw:
    """A row of tiles as long as an instruction's loop goes (14 bits), or a load (16 bits)."""
    fields |= {"LOG_BATCH": 0, "LOG_BLOCK": 2, "LOG_ACC_BUFF_SIZE": 18, "LOG_INP_BUFF_SIZE": 16}
    fields = legal({**fields, "LOG_WGT_BUFF_SIZE": 10, "LOG_UOP_BUFF_SIZE": 10})
    limit = random.choice([1 << 14, 1 << 14, 1 << 14, 1 << 16]) + random.choice([-1, 0, 1])
    return fields, [1, 4, 1, limit], None
