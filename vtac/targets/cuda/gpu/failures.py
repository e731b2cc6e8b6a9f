"""What the driver's refusals mean, and what to do about them."""

from __future__ import annotations

_LOST = "this process can use the GPU no more: start a new one"
_OTHER = "the kernel was compiled for another architecture, or by a newer compiler than the driver knows"

_MEANINGS = (
    ("OUT_OF_MEMORY", "the GPU's memory is full: free arrays there, or use smaller ones"),
    ("NO_BINARY_FOR_GPU", f"{_OTHER}: compile it for this device"),
    ("INVALID_IMAGE", f"{_OTHER}: compile it for this device"),
    ("UNSUPPORTED_PTX_VERSION", f"{_OTHER}: install a newer driver"),
    ("ILLEGAL_ADDRESS", f"an array does not lie on this device, or is freed; {_LOST}"),
    ("MISALIGNED_ADDRESS", f"an array starts at no multiple of what the kernel moves; {_LOST}"),
    ("LAUNCH_FAILED", f"the kernel failed; {_LOST}"),
    ("ILLEGAL_INSTRUCTION", f"the kernel failed; {_LOST}"),
    ("LAUNCH_TIMEOUT", f"the device is shared with a display that stops long kernels; {_LOST}"),
    ("LAUNCH_OUT_OF_RESOURCES", "a block needs more registers or shared memory than a multiprocessor has"),
    ("STREAM_CAPTURE", "the stream is recording a graph, and this cannot be recorded"),
    ("CONTEXT_IS_DESTROYED", "another library has reset the device: start a new process"),
    ("NOT_FOUND", "the compiled text holds no kernel of that name"),
    ("INVALID_HANDLE", "a stream or kernel is of another device, or no more"),
    ("INVALID_VALUE", "the launch, an address or a size is not one that the device takes"),
)
"""Part of an error's name in CUDA, and what to do about it."""


def meaning_of(name: str) -> str:
    """What an error of the driver means to a user, by its name in CUDA; empty for one that says nothing more."""
    return next((meaning for part, meaning in _MEANINGS if part in name), "")
