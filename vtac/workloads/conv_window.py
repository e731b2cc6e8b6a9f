"""What convolutions of square kernels have in common, whatever their layout."""

from __future__ import annotations

from vtac.errors import CompileError


class ConvWindow:
    """A square window that moves over a padded image; a base for records with these fields, in scalars."""

    height: int
    width: int
    kernel: int
    padding: int
    stride: int

    def require_window(self) -> None:
        """Raises `CompileError` for sizes below their least, and for a kernel larger than the padded image."""
        if min(self.kernel, self.stride, self.height, self.width) < 1 or self.padding < 0:
            raise CompileError("kernel, stride, height and width must be positive, padding not negative")
        if min(self.out_height, self.out_width) < 1:
            raise CompileError(
                f"a {self.kernel}x{self.kernel} kernel does not fit {self.height}x{self.width} "
                f"with padding {self.padding}"
            )

    @property
    def out_height(self) -> int:
        return (self.height + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def out_width(self) -> int:
        return (self.width + 2 * self.padding - self.kernel) // self.stride + 1
