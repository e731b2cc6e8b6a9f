"""The runtime calls of a convolution for any shape and tiling, from the structure of the reference's output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

from replay import COMPUTE, LOAD, STORE, Loops, MicroOps, Replay, page_addresses
from replay_programs import Loop, OutOfScopeError, Requantised, copies, divide, kernel_of, require_fit, row_major

from vtac.workloads.conv2d import Conv2D, Conv2DTiling


class ConvReplay:
    """Calls of a blocked convolution."""

    def __init__(self, layer: Conv2D, tiling: Conv2DTiling) -> None:
        config = layer.config
        self.layer, self.tiling, self.config, self.threads = layer, tiling, config, tiling.vthreads
        images, self.depth = layer.data_shape[:2]
        self.columns = layer.kernel_shape[0]
        self.b = (tiling.batch_block or config.batch) // config.batch
        self.ic, self.oc = tiling.ic_block // config.block_in, tiling.oc_block // config.block_out
        self.h, self.w, self.k = tiling.h_block, tiling.w_block, layer.kernel
        self.ih, self.iw = ((extent - 1) * layer.stride + self.k for extent in (self.h, self.w))
        axes = {"b": divide(images, self.b), "oc": divide(self.columns, self.oc)}
        axes |= {"h": divide(layer.out_height, self.h), "w": divide(layer.out_width, self.w)}
        axes[tiling.vthread_axis] = divide(axes[tiling.vthread_axis], self.threads)
        self.outer = axes
        self.ic_out = divide(self.depth, self.ic)
        self.acc, self.inp, self.wgt = (
            self.b * self.oc * self.h * self.w,
            self.b * self.ic * self.ih * self.iw,
            self.oc * self.ic * self.k**2,
        )
        require_fit(config, {name: self.threads * getattr(self, name) for name in ("acc", "inp", "wgt")})
        shapes = (layer.data_shape, layer.kernel_shape, layer.output_shape)
        self.data, self.kernel, self.result, uops = page_addresses([prod(shape) for shape in shapes])
        self.replay = Replay(config, uops)
        self.stages = Requantised(self.replay, self.threads, prod(axes.values()), self.ic_out, layer.shift)

    def run(self) -> Replay:
        """Replay the whole program."""
        stages, replay = self.stages, self.replay
        spatial, kernels = self._kernels()
        if stages.is_looped:
            stages.tokens("push", STORE, COMPUTE)
        for tile in self._tiles():
            stages.reset(spatial, self.acc)
            for io in range(self.ic_out):
                for t in range(self.threads):
                    replay.pop(COMPUTE, LOAD)
                    self._load_data(self._origin(tile, t), io, t)
                    self._load_kernel(self._origin(tile, t), io, t)
                    replay.push(LOAD, COMPUTE)
                stages.multiply(kernels, self.acc)
            stages.end_reduction(self.acc)
            for t in range(self.threads):
                replay.pop(COMPUTE, STORE)
                self._store(self._origin(tile, t), t)
                stages.finish_store()
        if stages.is_looped:
            stages.tokens("pop", STORE, COMPUTE)
        replay.sync()
        return replay

    def _kernels(self) -> tuple[list[Loop], list[tuple[Loops, MicroOps]]]:
        stride = self.layer.stride
        dst = row_major([self.b, self.oc, self.h, self.w])
        src = row_major([self.b, self.ic, self.ih, self.iw])
        wgt = row_major([self.oc, self.ic, self.k, self.k])
        b, o = Loop(self.b, (dst[0], src[0], 0)), Loop(self.oc, (dst[1], 0, wgt[0]))
        y, x = Loop(self.h, (dst[2], stride * src[2], 0)), Loop(self.w, (dst[3], stride * src[3], 0))
        i, dy, dx = (
            Loop(self.ic, (0, src[1], wgt[1])),
            Loop(self.k, (0, src[2], wgt[2])),
            Loop(self.k, (0, src[3], wgt[3])),
        )
        order = [b, o, y, i, dy, dx, x]
        bases = [(t * self.acc, t * self.inp, t * self.wgt) for t in range(self.threads)]
        return [b, o, y, x], [kernel_of(order, base) for base in bases]

    def _tiles(self) -> Iterator[dict[str, int]]:
        """Outer tiles in order: the thread loop changes places with the batch loop, to stand outermost."""
        order = ["b", "oc", "h", "w"]
        if self.threads > 1:
            at = order.index(self.tiling.vthread_axis) + 1
            order = [*order[1:at], "b", *order[at:]]
        for point in product(*(range(self.outer[name]) for name in order)):
            yield dict(zip(order, point, strict=True))

    def _origin(self, tile: dict[str, int], thread: int) -> dict[str, int]:
        """First index of a thread's output tile in each dimension."""
        place = dict(tile)
        axis = self.tiling.vthread_axis
        place[axis] = place[axis] * self.threads + thread
        sizes = {"b": self.b, "oc": self.oc, "h": self.h, "w": self.w}
        return {name: place[name] * size for name, size in sizes.items()}

    def _load_data(self, at: dict[str, int], io: int, thread: int) -> None:
        layer = self.layer
        dram = row_major([1, self.depth, layer.height, layer.width])
        sram = row_major([self.b, self.ic, self.ih, self.iw])
        top, left = at["h"] * layer.stride - layer.padding, at["w"] * layer.stride - layer.padding
        start = self.data // self.config.inp_element_bytes + at["b"] * dram[0] + io * self.ic * dram[1]
        dims = [Loop(e, (d, s)) for e, d, s in zip((self.b, self.ic, self.ih, self.iw), dram, sram, strict=True)]
        if not layer.padding:
            for offset, place, sizes in copies(dims):
                self.replay.load(
                    "inp", start + top * dram[2] + left + offset, sizes, (0,) * 4, thread * self.inp + place
                )
            return
        before, after = (
            [max(0, -top), max(0, -left)],
            [max(0, top + self.ih - layer.height), max(0, left + self.iw - layer.width)],
        )
        y_size, x_size = self.ih - before[0] - after[0], self.iw - before[1] - after[1]
        if min(y_size, x_size) < 1 or max(*before, *after) > 15 or min(self.ih, self.iw) < 2:
            raise OutOfScopeError("a tile in the padding")
        pads = (before[1], before[0], after[1], after[0])
        offset = (top + before[0]) * dram[2] + left + before[1]
        for image, channel in product(range(self.b), range(self.ic)):
            place = thread * self.inp + image * sram[0] + channel * sram[1]
            here = start + image * dram[0] + channel * dram[1] + offset
            self.replay.load("inp", here, (x_size, y_size, layer.width), pads, place)

    def _load_kernel(self, at: dict[str, int], io: int, thread: int) -> None:
        extents = (self.oc, self.ic, self.k, self.k)
        dram, sram = row_major([1, self.depth, self.k, self.k]), row_major(extents)
        start = self.kernel // self.config.wgt_element_bytes + at["oc"] * dram[0] + io * self.ic * dram[1]
        for offset, place, sizes in copies([Loop(e, (d, s)) for e, d, s in zip(extents, dram, sram, strict=True)]):
            self.replay.load("wgt", start + offset, sizes, (0,) * 4, thread * self.wgt + place)

    def _store(self, at: dict[str, int], thread: int) -> None:
        layer = self.layer
        dram = row_major([1, self.columns, layer.out_height, layer.out_width])
        start = self.result // self.config.out_element_bytes + sum(
            at[n] * d for n, d in zip(("b", "oc", "h", "w"), dram, strict=True)
        )
        for tile, point in enumerate(product(range(self.b), range(self.oc), range(self.h), range(self.w))):
            offset = sum(d * index for d, index in zip(dram, point, strict=True))
            self.replay.store(thread * self.acc + tile, start + offset, (1, 1, 1))


def replay_conv2d(layer: Conv2D, tiling: Conv2DTiling) -> Replay:
    """Calls of a blocked convolution."""
    return ConvReplay(layer, tiling).run()
