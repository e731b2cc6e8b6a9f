// Accesses next to an array, where its pages go on: those beyond the pages fault by themselves.
#include "bounds.h"

namespace vtac {

namespace {

constexpr int max_arrays = 1280;
const Region* arrays[max_arrays];
int array_count = 0;

}  // namespace

void watch_bounds(const Region& region) {
    if (array_count < max_arrays) arrays[array_count++] = &region;
}

void require_inside(const Region& region, const void* address, std::size_t bytes, Touch touch) {
    const auto* start = static_cast<const unsigned char*>(address);
    const unsigned char *end = start + bytes, *last = region.data + region.bytes;
    if (start >= region.data && end <= last) return;
    const char* access = touch == Touch::read ? "read" : "write";
    if (start < region.data)
        fail("out-of-bounds", "a %s %td bytes before the start of `%s` (%zu bytes), %s", access, region.data - start,
             region.name, region.bytes, place());
    fail("out-of-bounds", "a %s %td bytes past the end of `%s` (%zu bytes), %s", access, start > last ? start - last : 0,
         region.name, region.bytes, place());
}

void require_inside(const void* address, std::size_t bytes, Touch touch) {
    const auto* start = static_cast<const unsigned char*>(address);
    for (int i = 0; i < array_count; ++i)
        if (start + bytes > arrays[i]->pages && start < arrays[i]->pages + arrays[i]->page_bytes)
            return require_inside(*arrays[i], address, bytes, touch);
}

}  // namespace vtac
