"""The target that a command line means, and the options that only some targets have."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from vtac.targets.registry import all_targets, find_target
from vtac.targets.target import Target
from vtac.tools.entry import UsageError

OWNERS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("no_host", "acc_8bit", "stats", "trace", "timeline", "progress", "json"), "vta"),
        **dict.fromkeys(("blocks", "instructions", "measurements"), "cuda"),
    }
)
"""Options of the subcommands, and the one target whose programs they are for."""

CUDA_DEVICES = ("cpu", "gpu")
"""Where a CUDA program runs."""

DEFAULT_TARGET = "vta"
"""What a command line means that names no target."""


def saved_target(path: str) -> Target | None:
    """The target of the program saved in a directory, None where none is."""
    folder = Path(path)
    return next((target for target in all_targets() if target.has_saved(folder)), None) if folder.is_dir() else None


def target_of(options: Namespace) -> Target:
    """The target of a saved program that `source` names, else the one of `--target`.

    Raises `UsageError` when both say different things, and for options that belong to other targets.
    """
    source, stated = str(options.source), options.target
    saved = saved_target(source)
    if saved is not None and stated not in (None, saved.name):
        raise UsageError(f"'{source}' is a saved {saved.title} program: leave out --target {stated}")
    target = saved or find_target(str(stated or DEFAULT_TARGET))
    for name, owner in OWNERS.items():
        if owner != target.name and _is_given(options, name):
            raise _misplaced(name, find_target(owner))
    _check_device(getattr(options, "device", None), target)
    for other in all_targets():
        option = other.hardware.option
        if option != target.hardware.option and _is_given(options, option):
            raise _misplaced(option, other)
    return target


def require_stream(path: str, command: str) -> None:
    """Raises `UsageError` for a saved program of another target than the VTA, which has no instruction stream."""
    saved = saved_target(path)
    if saved is not None and saved.name != DEFAULT_TARGET:
        files = ", ".join(name for name in saved.saved_as if (Path(path) / name).is_file())
        raise UsageError(
            f"'{path}' is a saved {saved.title} program ({files}): it has no VTA instruction stream, which "
            f"`vtac {command}` is for; `vtac run` executes it"
        )


def hardware_of(options: Namespace, target: Target) -> object:
    """The hardware record that the options state, None when they state none. Raises `VtacError` for what makes none."""
    stated: str | None = getattr(options, target.hardware.option, None)
    return None if stated is None else target.hardware.parse(stated)


def _check_device(device: str | None, target: Target) -> None:
    """Raises `UsageError` for a device of another target: the CUDA target has two, the VTA's have URLs."""
    if device is None:
        return
    if device in CUDA_DEVICES and target.name != "cuda":
        raise UsageError(f"--device {device} is for CUDA programs: leave it out, or give --target cuda")
    if device not in CUDA_DEVICES and target.name == "cuda":
        raise UsageError(f"--device {device} is for VTA programs; CUDA programs run on {' or '.join(CUDA_DEVICES)}")
    if target.name not in ("cuda", "vta"):
        raise UsageError(f"--device is for VTA and CUDA programs; {target.title} has none: leave it out")


def _is_given(options: Namespace, name: str) -> bool:
    return getattr(options, name, None) != getattr(type(options), name, None)


def _misplaced(name: str, owner: Target) -> UsageError:
    return UsageError(
        f"--{name.replace('_', '-')} is for {owner.title} programs: leave it out, or give --target {owner.name}"
    )
