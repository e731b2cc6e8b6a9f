"""What the driver and cuda-core refuse, as our errors."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from vtac.errors import LaunchError, VtacError

_MEANINGS = (
    ("OUT_OF_MEMORY", "the GPU's memory is full: free arrays there, or use smaller ones"),
    ("NO_BINARY_FOR_GPU", "the kernel was compiled for another architecture: compile it for this device"),
    ("INVALID_IMAGE", "the kernel was compiled for another architecture: compile it for this device"),
    ("ILLEGAL_ADDRESS", "an array does not lie on this device, or is freed; this process can use the GPU no more"),
    ("LAUNCH_FAILED", "the kernel failed; this process can use the GPU no more"),
    ("LAUNCH_TIMEOUT", "the device is shared with a display that stops long kernels"),
    ("INVALID_VALUE", "the launch, an address or a size is not one that the device takes"),
)
"""Part of an error's name in CUDA, and what to do about it."""


@contextmanager
def driver_failures(what: str) -> Generator[None]:
    """Let `LaunchError` be raised for whatever the libraries under us raise meanwhile, with what it means."""
    try:
        yield
    except VtacError:
        raise
    except Exception as error:  # cuda-core has kinds of its own, one for each library
        meaning = next((text for name, text in _MEANINGS if name in str(error).upper()), None)
        raise LaunchError(f"{what}: {error}{f'; {meaning}' if meaning else ''}") from error


def checked(answer: tuple[object, ...], what: str) -> tuple[object, ...]:
    """What a call of the driver gives behind its status. Raises `LaunchError` for any status but success."""
    status, *rest = answer
    if status != 0:
        name = getattr(status, "name", str(status))
        with driver_failures(what):
            raise RuntimeError(f"the driver answers {name}")
    return tuple(rest)
