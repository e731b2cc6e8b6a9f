// Bounds of arrays to the byte.
#pragma once

#include "events.h"

namespace vtac {

// Looks at accesses of this array from now on.
void watch_bounds(const Region& region);
// Fails where an access is not wholly in the array whose pages it touches; others are none of ours.
void require_inside(const void* address, std::size_t bytes, Touch touch);
void require_inside(const Region& region, const void* address, std::size_t bytes, Touch touch);

}  // namespace vtac
