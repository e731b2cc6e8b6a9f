// Pixels of images as boxes, after PTX's im2col mode: a walk from one pixel of a bounding box to the next.
#include <cstring>

#include "transfers.h"

namespace vtac {

namespace {

constexpr int channel = 0;

int last_place(const TensorMapRecord& map, int d) { return int(map.extents[d + 1]) - 1 + map.upper[d]; }

// The next pixel: along the innermost dimension of space, from a dimension's end on with its start and the next
// dimension, from the last pixel of an image to the next image.
void step(const TensorMapRecord& map, int* at) {
    for (int d = 0; d < map.space; ++d) {
        at[d + 1] += int(map.element_strides[d + 1]);
        if (at[d + 1] <= last_place(map, d)) return;
        at[d + 1] = map.lower[d];
    }
    ++at[map.rank - 1];
}

// Where a pixel lies in the tensor, with the offsets of a tap; null outside.
const unsigned char* pixel_at(const Transfer& copy, const int* at) {
    const TensorMapRecord& map = *copy.map;
    const unsigned char* place = map.base;
    for (int d = 1; d < map.rank; ++d) {
        const long here = at[d] + (d <= map.space ? copy.offsets[d - 1] : 0);
        if (here < 0 || here >= long(map.extents[d])) return nullptr;
        place += here * long(map.strides[d - 1]);
    }
    return place;
}

}  // namespace

void land_pixels(const Transfer& copy) {
    const TensorMapRecord& map = *copy.map;
    const unsigned width = map.element_bytes;
    int at[most_box_dimensions];
    std::memcpy(at, copy.coordinates, sizeof at);
    std::uint32_t target = copy.target;
    for (unsigned pixel = 0; pixel < map.box[1]; ++pixel, step(map, at)) {
        const unsigned char* row = pixel_at(copy, at);
        for (unsigned i = 0; i < map.box[0]; ++i, target += width) {
            const long c = copy.coordinates[channel] + long(i);
            put_element(map, target, row && c >= 0 && c < long(map.extents[channel]) ? row + c * width : nullptr);
        }
    }
}

void check_pixels(const Transfer& copy, int offsets) {
    const TensorMapRecord& map = *copy.map;
    if (offsets != map.space)
        fail("bulk-copy",
             "%d offsets of `%s`, whose map has %d dimensions of space (0: a map of tiled boxes), in @line:%d@, %s", offsets,
             map.name, map.space, copy.line, place());
    const int most = map.rank == 3 ? 65535 : map.rank == 4 ? 255 : 31;
    for (int d = 0; d < map.space; ++d) {
        const int first = copy.coordinates[d + 1];
        if (copy.offsets[d] < 0 || copy.offsets[d] > most)
            fail("bulk-copy", "an offset of %d along dimension %d of `%s`, in @line:%d@, %s: of %d dimensions it is from 0 to %d",
                 copy.offsets[d], d + 1, map.name, copy.line, place(), map.rank, most);
        if (first < map.lower[d] || first > last_place(map, d))
            fail("bulk-copy",
                 "pixels of `%s` from %d on along dimension %d, in @line:%d@, %s: the bounding box goes from %d to %d", map.name,
                 first, d + 1, copy.line, place(), map.lower[d], last_place(map, d));
        if ((first - map.lower[d]) % int(map.element_strides[d + 1]))
            fail("bulk-copy",
                 "pixels of `%s` from %d on along dimension %d, in @line:%d@, %s: the bounding box begins at %d, and is walked in "
                 "steps of %u",
                 map.name, first, d + 1, copy.line, place(), map.lower[d], map.element_strides[d + 1]);
    }
}

}  // namespace vtac
