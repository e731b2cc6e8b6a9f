// Bulk copies under way: what one is, and the part of them that maps of pixels have of their own.
#pragma once

#include "mbarriers.h"
#include "runtime.h"

namespace vtac {

struct Transfer {
    const TensorMapRecord* map;
    int coordinates[most_box_dimensions], offsets[most_box_dimensions];
    std::uint32_t target;
    Mbarrier* barrier;
    int line, agent;
};

// The map that a parameter of the kernel stands for; fails where it is none of the launch record's.
const TensorMapRecord& map_of(const void* parameter, int line);
// Fails for another number of coordinates than the map has, and for a place in shared memory that its swizzle does not
// start at.
void check_box(const TensorMapRecord& map, int dimensions, std::uint32_t place_in_shared, int line);
// Ends the stores of a block, by its rank, all of which have to have been waited for.
void check_stores(int rank);
// Writes an element to its swizzled place, or the map's fill where there is none.
void put_element(const TensorMapRecord& map, std::uint32_t target, const unsigned char* from);
void land_pixels(const Transfer& copy);
// Fails for another number of offsets than the map has, offsets without bits, a start outside of the bounding box.
void check_pixels(const Transfer& copy, int offsets);

}  // namespace vtac
