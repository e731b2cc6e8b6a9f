// How accesses become known, and what is said of two that nothing orders.
#include <cstdio>
#include <cstring>

#include "bounds.h"
#include "events.h"
#include "matrices.h"

extern "C" const char __executable_start;  // of the linker

namespace vtac {

bool finds_races = false;

namespace {

void note(void* address, std::size_t bytes, Touch touch, const void* caller) {
    const auto start = reinterpret_cast<std::uintptr_t>(address);
    const int thread = current_thread();
    if (!finds_races || thread < 0) return;
    if (is_on_a_stack(start)) return note_register(address, bytes, touch == Touch::write);
    require_inside(address, bytes, touch);
    if (touch == Touch::write) check_not_pending(address, bytes, "written");
    const Event site = reinterpret_cast<std::uintptr_t>(caller) - 1 - reinterpret_cast<std::uintptr_t>(&__executable_start);
    settle_writes();
    enter_access(start, bytes, {touch, event_of(thread, site <= site_mask ? site : 0)});
}

// Places in the text are left for the reader of the fault to name: @line:12@, or @pc:4011a3@ of the executable.
struct Text {
    char words[256];
};

Text site_of(Event event) {
    Text text;
    const Event site = event & site_mask;
    if (event & site_is_line) {
        std::snprintf(text.words, sizeof text.words, "@line:%u@", unsigned(site));
    } else {
        std::snprintf(text.words, sizeof text.words, "@pc:%zx@",
                      std::size_t(site) + reinterpret_cast<std::uintptr_t>(&__executable_start));
    }
    return text;
}

Text author_in_block(Event event) {
    Text text;
    const int who = who_of(event);
    if (who >= first_agent) {
        std::snprintf(text.words, sizeof text.words, "a bulk copy");
    } else if (who < first_warp) {
        const uint3 index = index_of_thread(who);
        std::snprintf(text.words, sizeof text.words, "thread (%u, %u, %u)", index.x, index.y, index.z);
    } else {
        const int warp = who - first_warp - block_of(who) * (cluster.threads / lanes_per_warp);
        std::snprintf(text.words, sizeof text.words, "a lane of warp %d", warp);
    }
    return text;
}

// Of several blocks that run at once, in words that follow a name.
void append_block(Text& text, int rank) {
    if (cluster.size == 1) return;
    const uint3 block = index_of_block(cluster.blocks[rank]);
    const std::size_t length = std::strlen(text.words);
    std::snprintf(text.words + length, sizeof text.words - length, " of block (%u, %u, %u)", block.x, block.y, block.z);
}

Text author_of(Event event) {
    Text text = author_in_block(event);
    if (who_of(event) < first_agent) append_block(text, block_of(who_of(event)));
    return text;
}

Text name_of(const Region& region, std::size_t byte) {
    Text text;
    if (byte >= region.bytes || region.kind == Region::dynamic_shared) {
        std::snprintf(text.words, sizeof text.words, "@byte:%zd@", std::ptrdiff_t(byte));
        if (is_shared(region)) append_block(text, region.block);
        return text;
    }
    std::size_t element = byte / region.shape.element_bytes, indices[max_rank];
    for (int d = region.shape.rank - 1; d >= 0; --d) {
        indices[d] = element % region.shape.extents[d];
        element /= region.shape.extents[d];
    }
    int length = std::snprintf(text.words, 160, "`%s", region.name);
    for (int d = 0; d < region.shape.rank && length < 200; ++d)
        length += std::snprintf(text.words + length, sizeof text.words - length, "[%zu]", indices[d]);
    std::snprintf(text.words + length, sizeof text.words - length, "`");
    if (is_shared(region)) append_block(text, region.block);
    return text;
}

const char* verb_of(const Access& access) {
    if (access.touch == Touch::read) return "reads";
    return access.event & is_atomic ? "updates" : "writes";
}

// The first race of a block that two warps have part in, and the first of one warp's lanes. They are told when the
// block comes to its next barrier, as divergence counts for more; and one warp's at the block's end, as its lanes
// meet wherever a block barrier is missing, too, and what they need may not be enough.
struct Found {
    char words[1000];
};
Found of_the_block, of_one_warp;
// The first read of what nobody wrote. It is told last: where a barrier is missing, the write may be yet to come.
Found of_the_unwritten;
// The first access of the async proxy that no fence parts from a plain write.
Found of_the_unfenced;

}  // namespace

namespace {

const char* what_is_missing(const Access& earlier, const Access& now, bool is_of_one_warp) {
    const bool has_agent = who_of(earlier.event) >= first_agent || who_of(now.event) >= first_agent;
    if (has_agent || waits_for_mbarriers) return "mbarrier or __syncthreads() orders them";
    return is_of_one_warp ? "__syncwarp() orders these lanes of a warp" : "__syncthreads() orders these threads";
}

}  // namespace

void report_race(const Region& region, std::size_t byte, const Access& earlier, const Access& now) {
    const bool in_flight = earlier.event & copy_in_flight;
    const bool is_of_one_warp = !in_flight && warp_of(who_of(earlier.event)) == warp_of(who_of(now.event));
    Found& found = is_of_one_warp ? of_one_warp : of_the_block;
    if (*found.words) return;
    const Text name = name_of(region, byte), first = author_of(earlier.event), second = author_of(now.event),
               there = site_of(earlier.event), here = site_of(now.event);
    const uint3 block = blockIdx;
    if (in_flight && who_of(earlier.event) >= first_agent) {
        std::snprintf(found.words, sizeof found.words,
                      "%s: the bulk copy in %s is under way when %s %s it in %s, in block (%u, %u, %u): no wait for its "
                      "mbarrier's phase comes before",
                      name.words, there.words, second.words, verb_of(now), here.words, block.x, block.y, block.z);
        return;
    }
    if (in_flight) {
        std::snprintf(found.words, sizeof found.words,
                      "%s: the asynchronous copy of %s in %s is under way when %s %s it in %s, in block (%u, %u, %u): "
                      "no __pipeline_wait_prior() has waited for it",
                      name.words, first.words, there.words, second.words, verb_of(now), here.words, block.x, block.y,
                      block.z);
        return;
    }
    std::snprintf(found.words, sizeof found.words, "%s: %s %s it in %s, %s %s it in %s, in block (%u, %u, %u): no %s",
                  name.words, first.words, verb_of(earlier), there.words, second.words, verb_of(now), here.words, block.x,
                  block.y, block.z,
                  what_is_missing(earlier, now, is_of_one_warp));
}

void name_place(const void* place, char* words, std::size_t size) {
    const Region* region = find_region(place);
    const Text name = region ? name_of(*region, static_cast<const unsigned char*>(place) - region->data) : Text();
    std::snprintf(words, size, "%s", name.words);
}

void report_unwritten(const Region& region, std::size_t byte, const Access& access) {
    if (*of_the_unwritten.words) return;
    const Text name = name_of(region, byte), author = author_of(access.event), here = site_of(access.event);
    const uint3 block = blockIdx;
    std::snprintf(of_the_unwritten.words, sizeof of_the_unwritten.words,
                  "%s: %s reads it in %s, in block (%u, %u, %u): no thread of the block has written it before", name.words,
                  author.words, here.words, block.x, block.y, block.z);
}

void report_unfenced(const Region& region, std::size_t byte, Event earlier, const Access& now) {
    if (*of_the_unfenced.words) return;
    const Text name = name_of(region, byte), author = author_of(earlier), there = site_of(earlier), here = site_of(now.event);
    std::snprintf(of_the_unfenced.words, sizeof of_the_unfenced.words,
                  "%s: %s writes it in %s, the async proxy %s it in %s, in block (%u, %u, %u): who writes has to pass a "
                  "fence.proxy.async between",
                  name.words, author.words, there.words, verb_of(now), here.words, blockIdx.x, blockIdx.y, blockIdx.z);
}

void tell_races(bool is_end_of_block) {
    if (*of_the_block.words) fail("race", "%s", of_the_block.words);
    if (*of_the_unfenced.words) fail("proxy-fence", "%s", of_the_unfenced.words);
    if (is_end_of_block && *of_one_warp.words) fail("race", "%s", of_one_warp.words);
    if (is_end_of_block && *of_the_unwritten.words) fail("unwritten", "%s", of_the_unwritten.words);
}

void report_race_of_blocks(const Region& region, std::size_t byte, const Access& earlier, const Access& now) {
    const Text name = name_of(region, byte), first = author_in_block(earlier.event), second = author_in_block(now.event),
               there = site_of(earlier.event), here = site_of(now.event);
    const uint3 other = index_of_block(block_number(epoch_of(earlier.event))), block = blockIdx;
    fail("race",
         "%s: %s of block (%u, %u, %u) %s it in %s, %s of block (%u, %u, %u) %s it in %s: nothing orders the blocks of "
         "a launch",
         name.words, first.words, other.x, other.y, other.z, verb_of(earlier), there.words, second.words, block.x,
         block.y, block.z, verb_of(now), here.words);
}

void note_tile(const void* address, std::size_t bytes, std::size_t pitch, int count, bool writes, int line) {
    if (!finds_races) return;
    const Access access = {writes ? Touch::write : Touch::read,
                           event_of(first_warp + current_thread() / lanes_per_warp, site_is_line | Event(line))};
    settle_writes();
    for (int i = 0; i < count; ++i)
        require_inside(static_cast<const unsigned char*>(address) + i * pitch, bytes, access.touch);
    for (int i = 0; i < count; ++i) enter_access(reinterpret_cast<std::uintptr_t>(address) + i * pitch, bytes, access);
}

void note_async_read(const void* address, std::size_t bytes, int line) {
    if (!finds_races) return;
    settle_writes();
    enter_access(reinterpret_cast<std::uintptr_t>(address), bytes,
                 {Touch::read, event_of(first_warp + current_thread() / lanes_per_warp, site_is_line | Event(line)), nullptr,
                  true});
}

void note_atomic(const void* address, std::size_t bytes, int line) {
    if (!finds_races) return;
    settle_writes();
    require_inside(address, bytes, Touch::write);
    enter_access(reinterpret_cast<std::uintptr_t>(address), bytes,
                 {Touch::write, event_of(current_thread(), site_is_line | is_atomic | Event(line))});
}

}  // namespace vtac

// The calls that -fsanitize=thread compiles in at each access; its own runtime is not linked.
extern "C" {
#define VTAC_CALLS(bytes)                                                                                       \
    void __tsan_read##bytes(void* at) { vtac::note(at, bytes, vtac::Touch::read, __builtin_return_address(0)); }   \
    void __tsan_write##bytes(void* at) { vtac::note(at, bytes, vtac::Touch::write, __builtin_return_address(0)); } \
    void __tsan_unaligned_read##bytes(void* at) {                                                               \
        vtac::note(at, bytes, vtac::Touch::read, __builtin_return_address(0));                                  \
    }                                                                                                           \
    void __tsan_unaligned_write##bytes(void* at) {                                                              \
        vtac::note(at, bytes, vtac::Touch::write, __builtin_return_address(0));                                 \
    }
VTAC_CALLS(1)
VTAC_CALLS(2)
VTAC_CALLS(4)
VTAC_CALLS(8)
VTAC_CALLS(16)
#undef VTAC_CALLS
void __tsan_read_range(void* at, std::size_t bytes) {
    vtac::note(at, bytes, vtac::Touch::read, __builtin_return_address(0));
}
void __tsan_write_range(void* at, std::size_t bytes) {
    vtac::note(at, bytes, vtac::Touch::write, __builtin_return_address(0));
}
void __tsan_vptr_update(void*, void*) {}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
}
