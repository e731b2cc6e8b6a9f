"""The hardware that a module is compiled for, read from the module itself."""

from __future__ import annotations

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, StringAttr, i64

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError

CONFIG = "vta.config"
ACC_8BIT = "vta.acc_8bit"
"""Attribute of a module that may load i8 into accumulators, which simulators decode and the hardware's RTL does not."""


def config_of(module: ModuleOp) -> VTAConfig:
    """The module's `vta.config`, else the default configuration."""
    given = module.attributes.get(CONFIG)
    if given is None:
        return VTAConfig()
    if not isinstance(given, DictionaryAttr):
        raise ConfigError(f"{CONFIG} must be a dictionary with the fields of vta_config.json, found {given}")
    values: dict[str, object] = {}
    for key, value in given.data.items():
        if isinstance(value, IntegerAttr):
            values[key] = value.value.data
        elif isinstance(value, StringAttr):
            values[key] = value.data
        else:
            raise ConfigError(f"{CONFIG}: {key} is {value}; expected an integer or a string")
    return VTAConfig.from_fields(values, CONFIG)


def allows_acc_8bit(module: ModuleOp) -> bool:
    """Whether a module is for simulators that load i8 into accumulators."""
    return ACC_8BIT in module.attributes


def copy_target(source: ModuleOp, into: ModuleOp) -> None:
    """Compile one module for what another is compiled for."""
    for key in (CONFIG, ACC_8BIT):
        if key in source.attributes:
            into.attributes[key] = source.attributes[key]


def set_config(module: ModuleOp, config: VTAConfig) -> None:
    """Write a configuration into a module."""
    module.attributes[CONFIG] = DictionaryAttr(
        {
            key: StringAttr(value) if isinstance(value, str) else IntegerAttr(value, i64)
            for key, value in config.to_fields().items()
        }
    )
