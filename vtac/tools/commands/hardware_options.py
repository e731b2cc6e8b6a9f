"""The options that say which hardware a program is for: each target has one, which its record names."""

from __future__ import annotations

from argparse import Namespace

from vtac.targets.registry import all_targets
from vtac.targets.target import Target
from vtac.tools.entry import UsageError


def hardware_of(options: Namespace, target: Target) -> object:
    """The hardware record that the options state, None when they state none.

    Raises `UsageError` for an option of another target, and `VtacError` for what makes no record.
    """
    own = target.hardware.option
    for other in all_targets():
        option = other.hardware.option
        if option != own and getattr(options, option, None) is not None:
            raise UsageError(f"--{option} is for {other.title} programs; {target.title} programs take --{own}")
    stated: str | None = getattr(options, own, None)
    return None if stated is None else target.hardware.parse(stated)
