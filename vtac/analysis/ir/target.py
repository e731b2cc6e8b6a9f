"""The hardware that a module is compiled for, read from the module itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.declared import ACC_8BIT, CONFIG


def config_of(module: ModuleOp) -> VTAConfig:
    """The module's `vta.config`, else the default configuration."""
    given = CONFIG.get(module)
    return default_config() if given is None else _config(tuple(given.items()))


@cache
def default_config() -> VTAConfig:
    """The configuration of modules that state none."""
    return VTAConfig()


@lru_cache(maxsize=64)
def _config(given: tuple[tuple[str, int | str], ...]) -> VTAConfig:
    return VTAConfig.from_fields(dict(given), CONFIG.name)


def allows_acc_8bit(module: ModuleOp) -> bool:
    """Whether a module is for simulators that load i8 into accumulators."""
    return ACC_8BIT.is_on(module)


def copy_target(source: ModuleOp, into: ModuleOp) -> None:
    """Compile one module for what another is compiled for."""
    CONFIG.copy(source, into)
    ACC_8BIT.copy(source, into)


def set_config(module: ModuleOp, config: VTAConfig) -> None:
    """Write a configuration into a module."""
    module.attributes |= _entry(config)


@lru_cache(maxsize=64)
def _entry(config: VTAConfig) -> Mapping[str, Attribute]:
    return CONFIG.entry(config.to_fields())
