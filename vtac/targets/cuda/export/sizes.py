"""What a launcher in C++ says of sizes: of a plan whose arrays have theirs, or of one with a dynamic size."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import prod

from vtac.dialects.tensor_maps import TensorMap
from vtac.targets.cuda.dynamic_plan import MOST_ELEMENTS, SLACK, DynamicPlan
from vtac.targets.cuda.launch import ELEMENT_BYTES
from vtac.targets.cuda.plan import ALIGNMENT, LaunchPlan, PlanBuffer

SIZE = "vtac_size"
_MOST_BLOCKS = (2**31 - 1, 65_535, 65_535)


@dataclass(frozen=True)
class Sizes:
    """The sizes of a plan's arrays and grids; with `dynamic`, as expressions of an int called `vtac_size`."""

    plan: LaunchPlan
    dynamic: DynamicPlan | None = None

    def row(self, buffer: PlanBuffer) -> int | None:
        """Elements of an array for each index of its dynamic dimension; None for one without."""
        if self.dynamic is None or not self.dynamic.is_dynamic(buffer.shape):
            return None
        return prod(buffer.shape) // self.dynamic.stand_in

    def is_size(self, buffer: PlanBuffer) -> bool:
        """Whether a buffer holds the size itself."""
        return self.dynamic is not None and buffer.name == self.dynamic.number

    def bytes(self, buffer: PlanBuffer, size: str = SIZE) -> str:
        """The bytes of an array."""
        row = self.row(buffer)
        return str(buffer.nbytes) if row is None else f"std::size_t{{{row * ELEMENT_BYTES[buffer.dtype]}}} * {size}"

    def shape(self, buffer: PlanBuffer) -> str:
        """A shape for a comment, with n for the size."""
        shown = list(map(str, buffer.shape))
        if self.dynamic is not None and self.row(buffer) is not None:
            times = buffer.shape[0] // self.dynamic.stand_in
            shown[0] = "n" if times == 1 else f"{times}*n"
        return " x ".join(shown)

    def grid(self, kernel: int) -> str:
        """The extents of a kernel's grid."""
        found = list(map(str, self.plan.kernels[kernel].grid))
        rule = None if self.dynamic is None else self.dynamic.grids[kernel]
        if rule is not None:
            found[rule.dimension] = f"blocks({SIZE}, {rule.times}, {rule.row}, {rule.step})"
        return ", ".join(found)

    def extents(self, one: TensorMap) -> list[str]:
        """The extents of a tensor map, innermost first."""
        *inner, outermost = one.extents
        if self.dynamic is None or not self.dynamic.is_dynamic((outermost,)):
            return list(map(str, one.extents))
        times = outermost // self.dynamic.stand_in
        size = f"static_cast<cuuint64_t>({SIZE})"
        return [*map(str, inner), size if times == 1 else f"{times} * {size}"]

    def is_small(self, one: TensorMap) -> str:
        """Where a tensor map's array is small, as a condition; empty where it never is."""
        if self.dynamic is None or not self.dynamic.is_dynamic(one.extents[-1:]):
            return "true" if one.is_small else ""
        sizes = range(1, self.most() + 1)
        small = bisect_left(sizes, 1, key=lambda size: int(not self._map_at(one, size).is_small))
        return f"{SIZE} <= {small}" if small else ""

    def _map_at(self, one: TensorMap, size: int) -> TensorMap:
        return one if self.dynamic is None else self.dynamic.map_at(one, size)

    def most(self) -> int:
        """The largest size that kernels count to."""
        rows = [row for buffer in self.plan.buffers if (row := self.row(buffer)) is not None]
        found = [MOST_ELEMENTS // row - SLACK for row in rows]
        for rule in self.dynamic.grids if self.dynamic is not None else ():
            if rule is not None:
                found.append(_MOST_BLOCKS[rule.dimension] // rule.times * rule.step // rule.row)
        return min(found)

    def declarations(self) -> list[str]:
        """What stands in front of the launcher: how much scratch memory it takes."""
        if self.dynamic is None:
            return [
                f"constexpr std::size_t kScratchBytes = {self.plan.scratch_bytes};  // of `vtac_scratch`, aligned to "
                f"{ALIGNMENT} bytes"
            ]
        parts = [f"padded({self.bytes(buffer)})" for buffer in self.plan.of_role("scratch")]
        return [
            f"constexpr int kMostRows = {self.most()};  // the largest size n that kernels count to",
            "",
            "inline std::size_t padded(std::size_t bytes) {",
            f"  return (bytes + {ALIGNMENT - 1}) / {ALIGNMENT} * {ALIGNMENT};",
            "}",
            "",
            f"// Of `vtac_scratch`, aligned to {ALIGNMENT} bytes, the first of which hold the size itself.",
            f"inline std::size_t scratch_bytes(int {SIZE}) {{",
            f"  (void){SIZE};",
            f"  return {' + '.join([str(ALIGNMENT), *parts])};",
            "}",
            "",
            "inline unsigned blocks(long long size, long long times, long long row, long long step) {",
            "  return static_cast<unsigned>(times * ((size * row + step - 1) / step));",
            "}",
            "",
            "static __global__ void vtac_set_size(int *place, int size) { *place = size; }",
        ]

    def begin(self) -> list[str]:
        """The first statements of the launcher: checks of the size and of scratch memory, places in it."""
        wants = self.dynamic is not None or bool(self.plan.scratch_bytes)
        lines = [
            *([f"  if ({SIZE} < 1 || {SIZE} > kMostRows) return cudaErrorInvalidValue;"] if self.dynamic else []),
            *([f"  if (!is_aligned(vtac_scratch, {ALIGNMENT})) return cudaErrorInvalidValue;"] if wants else []),
            "  unsigned char *const vtac_memory = static_cast<unsigned char *>(vtac_scratch);",
            "  (void)vtac_memory;",
        ]
        if self.dynamic is None:
            return lines
        before = f"vtac_memory + {ALIGNMENT}"
        for at, buffer in enumerate(self.plan.buffers):
            if buffer.role == "scratch":
                lines.append(f"  unsigned char *const vtac_memory_{at} = {before};")
                before = f"vtac_memory_{at} + padded({self.bytes(buffer)})"
        return [
            *lines,
            f"  vtac_set_size<<<dim3(1), dim3(1), 0, vtac_stream>>>(reinterpret_cast<int *>(vtac_memory), {SIZE});",
            "  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;",
        ]

    def place(self, at: int) -> str:
        """Where a scratch buffer, or the size, lies."""
        buffer = self.plan.buffers[at]
        if self.is_size(buffer):
            return "vtac_memory"
        return f"vtac_memory + {buffer.offset}" if self.dynamic is None else f"vtac_memory_{at}"
