"""Random hardware configurations: legal ones, from the default's neighbours to machines with tiny buffers."""

from __future__ import annotations

from random import Random
from typing import cast

from fuzz.case import Payload
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError

_BUFFERS = ("LOG_UOP_BUFF_SIZE", "LOG_INP_BUFF_SIZE", "LOG_WGT_BUFF_SIZE", "LOG_ACC_BUFF_SIZE")


def draw_fields(random: Random, features: frozenset[str]) -> Payload:
    """Fields of a configuration: the default's, unless configurations or small buffers are asked for."""
    fields = cast(Payload, VTAConfig().to_fields())
    if "configurations" in features and random.random() < 0.6:
        fields["LOG_BATCH"] = random.choice([0, 0, 1, 2])
        fields["LOG_BLOCK"] = random.choice([2, 3, 4, 5])
    if "small_buffers" in features and random.random() < 0.7:
        for name in _BUFFERS:
            fields[name] = cast(int, fields[name]) - random.choice([0, 1, 2, 3])
    return legal(fields)


def legal(fields: Payload) -> Payload:
    """The fields with buffers halved, in turns, until the machine's instructions have room for them."""
    turn = 0
    while True:
        try:
            configuration(fields)
            return fields
        except ConfigError:
            name = ("LOG_WGT_BUFF_SIZE", "LOG_ACC_BUFF_SIZE", "LOG_INP_BUFF_SIZE")[turn % 3]
            fields[name] = cast(int, fields[name]) - 1
            turn += 1


def configuration(fields: Payload) -> VTAConfig:
    """The configuration of some fields. Raises `ConfigError` for one that the machine cannot have."""
    return VTAConfig.from_fields(dict(fields), "fuzz")
