// Guarded memory: parameters and shared arrays, each between spans that fault when touched.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "bounds.h"
#include "clusters.h"
#include "runtime.h"

namespace vtac {

namespace {

constexpr int max_regions = 1280, max_slots = 128;
constexpr std::size_t guard_bytes = std::size_t(1) << 34;  // a wrapped 32-bit index of floats stays inside
constexpr std::size_t small_guard_bytes = std::size_t(1) << 22;
constexpr std::size_t static_shared_limit = 48 * 1024;
constexpr unsigned char slack_pattern = 0xff;

Region regions[max_regions];
int region_count = 0;
Region* slots[most_cluster][max_slots];
std::uint32_t windows[max_slots];
Region* dynamic_regions[most_cluster];
std::size_t static_bytes = 0;
const Launch* current_launch = nullptr;

std::size_t round_up(std::size_t value, std::size_t granule) { return (value + granule - 1) / granule * granule; }

bool slack_is_clean(const unsigned char* begin, const unsigned char* end) {
    for (; begin < end; ++begin)
        if (*begin != slack_pattern) return false;
    return true;
}

}  // namespace

Region* new_region() {
    if (region_count == max_regions) fail("limit", "more than %d arrays", max_regions);
    return &regions[region_count++];
}

Region& allocate_guarded(Region::Kind kind, const char* name, std::size_t bytes, Side side, bool across_processes,
                         std::size_t alignment, std::size_t first) {
    const std::size_t page = sysconf(_SC_PAGESIZE), pages = round_up(bytes + first, page);
    std::size_t guard = guard_bytes;
    void* span = MAP_FAILED;
    for (; span == MAP_FAILED && guard >= small_guard_bytes; guard /= 4)
        span = mmap(nullptr, pages + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    guard *= 4;
    if (span == MAP_FAILED) fail("memory", "cannot reserve %zu bytes of address space for `%s`", pages, name);
    unsigned char* start = static_cast<unsigned char*>(span) + guard;
    const int sharing = across_processes ? MAP_SHARED : MAP_PRIVATE;
    if (mmap(start, pages, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail("memory", "cannot allocate %zu bytes for `%s`", pages, name);
    const std::size_t slack = side == Side::against_end ? (pages - bytes) / alignment * alignment : first;
    Region& region = *new_region();
    region = {kind, name, start + slack, bytes, start, pages, static_cast<unsigned char*>(span), pages + 2 * guard, {1, 1, {bytes}}};
    watch_bounds(region);
    std::memset(start, slack_pattern, slack);
    std::memset(start + slack + bytes, slack_pattern, pages - slack - bytes);
    return region;
}

void make_read_only(const Region& region) { mprotect(region.pages, region.page_bytes, PROT_READ); }

void poison(const Region& region, unsigned char pattern) { std::memset(region.data, pattern, region.bytes); }

void check_slack() {
    for (int i = 0; i < region_count; ++i) {
        const Region& region = regions[i];
        if (region.kind == Region::stacks || region.kind == Region::input) continue;
        if (slack_is_clean(region.pages, region.data) &&
            slack_is_clean(region.data + region.bytes, region.pages + region.page_bytes))
            continue;
        fail("out-of-bounds", "a write just outside of `%s` (%zu bytes), %s", region.name, region.bytes, place());
    }
}

const Region* find_region(const void* address) {
    const auto* byte = static_cast<const unsigned char*>(address);
    for (int i = 0; i < region_count; ++i)
        if (byte >= regions[i].span && byte < regions[i].span + regions[i].span_bytes) return &regions[i];
    return nullptr;
}

bool is_shared(const Region& region) {
    return region.kind == Region::static_shared || region.kind == Region::dynamic_shared;
}

void prepare_shared(const Launch& launch) {
    current_launch = &launch;
    for (int rank = 0; rank < launch.cluster && launch.dynamic_bytes; ++rank) {
        dynamic_regions[rank] = &allocate_guarded(Region::dynamic_shared, "dynamic shared memory", launch.dynamic_bytes,
                                                  launch.side, false, device_alignment, 0);
        dynamic_regions[rank]->block = rank;
        if (finds_races) shadow_region(*dynamic_regions[rank]);
    }
}

void poison_shared() {
    for (int i = 0; i < region_count; ++i)
        if (is_shared(regions[i])) poison(regions[i], 0xff);
}

namespace {

// Addresses that a matrix descriptor tells apart; the first 1,024 are the system's. Static arrays lie at the end, the last
// one first, with room between them that is none of theirs.
constexpr std::size_t window_bytes = std::size_t(1) << 18, system_bytes = 1024;
std::size_t static_end = window_bytes;

// A place in the block's shared memory that is aligned as declared, and no better.
void give_window(Region& region, std::size_t alignment) {
    std::size_t multiple = round_up(system_bytes, alignment) / alignment | 1;
    if (region.kind == Region::static_shared) {
        const std::size_t apart = current_launch->dynamic_bytes ? 0 : 12 * 1024;
        multiple = (static_end - apart - region.bytes) / alignment;
        if (multiple % 2 == 0) --multiple;
        static_end = multiple * alignment;
    }
    region.window = std::uint32_t(multiple * alignment);
}

}  // namespace

void* static_shared(int slot, std::size_t bytes, std::size_t alignment, const char* name, const Shape& shape) {
    if (slot >= max_slots) fail("limit", "more than %d shared arrays", max_slots);
    Region*& region = slots[current_block()][slot];
    if (!region) {
        static_bytes += windows[slot] ? 0 : bytes;
        if (static_bytes > static_shared_limit)
            fail("shared-memory",
                 "the static shared arrays take %zu bytes with `%s`; CUDA allows %zu: declare one `extern __shared__` "
                 "array and give its bytes in the launch record",
                 static_bytes, name, static_shared_limit);
        region = &allocate_guarded(Region::static_shared, name, bytes, current_launch->side, false, alignment, alignment);
        region->shape = shape;
        region->block = current_block();
        if (windows[slot]) region->window = windows[slot];  // as in the cluster's other blocks
        else give_window(*region, alignment);
        windows[slot] = region->window;
        if (finds_races) shadow_region(*region);
        poison(*region, 0xff);
    }
    return region->data;
}

std::uint32_t shared_address(const void* pointer) {
    const Region* region = find_region(pointer);
    if (!region || !is_shared(*region))
        fail("out-of-bounds", "%p is converted to an address of shared memory, and lies in `%s`, %s", pointer,
             region ? region->name : "no array", place());
    return region->window + std::uint32_t(static_cast<const unsigned char*>(pointer) - region->data);
}

const unsigned char* shared_pointer(std::uint32_t address, std::size_t bytes) {
    address = in_cluster(address);
    const std::uint32_t in_block = address & ((1u << rank_shift) - 1);
    for (int i = 0; i < region_count; ++i) {
        const Region& region = regions[i];
        if (!is_shared(region) || region.block != rank_of(address) || in_block - region.window >= region.bytes) continue;
        const std::size_t offset = in_block - region.window;
        if (offset + bytes > region.bytes)
            fail("out-of-bounds", "%zu bytes from byte %zu on of `%s`, which has %zu, %s", bytes, offset, region.name,
                 region.bytes, place());
        return region.data + offset;
    }
    fail("out-of-bounds", "address 0x%x is none of shared memory, %s", in_block, place());
}

void* dynamic_shared(const char* name, std::size_t alignment) {
    Region* region = dynamic_regions[current_block()];
    if (!region)
        fail("shared-memory", "the kernel declares `extern __shared__ %s[]`, but the launch record's shared_bytes is 0",
             name);
    if (!region->window) give_window(*region, alignment);
    return region->data;
}

}  // namespace vtac
