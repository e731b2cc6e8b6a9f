// An access of memory in one word, and whether barriers order two of them.
#pragma once

#include <cstdint>

#include "clusters.h"
#include "runtime.h"

namespace vtac {

// From the top: 28 bits of epoch, 13 of who, 3 flags, 20 of site. No access has the event 0.
using Event = std::uint64_t;

constexpr int epoch_shift = 36, who_shift = 23;
constexpr Event copy_in_flight = Event(1) << 22, is_atomic = Event(1) << 21, site_is_line = Event(1) << 20;
constexpr Event site_mask = site_is_line - 1;
constexpr std::uint32_t last_epoch = (1u << 28) - 1;
// Who: a thread of the blocks that run at once, or from here on a warp, one of whose lanes (CUDA does not say which) makes the access, or the engine
// of bulk copies, on behalf of an mbarrier.
constexpr int first_warp = 4096, most_warps = first_warp / lanes_per_warp, first_agent = first_warp + most_warps,
              last_who = 8191;

inline std::uint32_t epoch_of(Event event) { return std::uint32_t(event >> epoch_shift); }
inline int who_of(Event event) { return int(event >> who_shift & last_who); }
inline int warp_of(int who) { return who < first_warp ? who / lanes_per_warp : who - first_warp; }

// Barriers counted by what they order: a block barrier is a new epoch of every warp, a warp barrier of one.
struct Epochs {
    std::uint32_t now;
    std::uint32_t block_barriers[most_cluster];  // of each block: the epoch that began with the last one, or with it
    std::uint32_t warps[most_warps];
    std::uint32_t block_ordinal;  // the number in the job, from 1, of the block that is looked at
    std::uint32_t start;          // the first epoch of the blocks that run at once
    std::uint32_t cleared;        // what came before is ordered before all that follows
};
extern Epochs epochs;

// What mbarriers order: each thread's own time, which goes on at what others may wait for, and what it knows of others.
extern std::uint32_t own_times[first_warp], fences[first_warp];
extern bool waits_for_mbarriers;
bool knows(int who, int author, std::uint32_t epoch);
int issuer_of(int agent);
int block_of_agent(int agent);
// The rank of the block that a thread, a warp or an agent belongs to.
inline int block_of(int who) {
    if (cluster.size == 1) return 0;
    if (who >= first_agent) return block_of_agent(who);
    return (who < first_warp ? who : (who - first_warp) * lanes_per_warp) / cluster.threads;
}
// Whether the barriers of a block, or the end of all that ran before, put an event before what it does now.
inline bool is_past(Event earlier, int block) {
    const std::uint32_t epoch = epoch_of(earlier);
    if (epoch < epochs.start) return true;
    return epoch < epochs.block_barriers[block] && block_of(who_of(earlier)) == block;
}
inline std::uint32_t time_of(int who) {
    if (who >= first_agent) return epochs.now;
    const std::uint32_t warp = epochs.warps[warp_of(who)];
    return who < first_warp && own_times[who] > warp ? own_times[who] : warp;
}

// Whether barriers (or its own program, for one thread) put an earlier access before what `who` does now.
inline bool is_ordered(Event earlier, int who) {
    if (earlier & copy_in_flight) return false;
    const std::uint32_t epoch = epoch_of(earlier);
    if (who >= first_agent) who = issuer_of(who);
    if (is_past(earlier, block_of(who))) return true;
    const int warp = warp_of(who), author = who_of(earlier);
    if (warp_of(author) == warp && (epoch < epochs.warps[warp] || (author == who && who < first_warp))) return true;
    return waits_for_mbarriers && knows(who, author, epoch);
}

inline bool meet_peacefully(Event earlier, Event now) {
    return !earlier || is_ordered(earlier, who_of(now)) || (earlier & now & is_atomic);
}

enum class Touch { read, write };

// The value of a write is known beforehand where it is a copy's; that of others is looked at once they are made.
struct Access {
    Touch touch;
    Event event;
    const unsigned char* value = nullptr;
    bool is_async = false;  // by the async proxy: of bulk copies, and of what reads shared memory by descriptors
};

// What `who` does now, at a site of the text.
inline Event event_of(int who, Event site) {
    return Event(time_of(who)) << epoch_shift | Event(who) << who_shift | site;
}

// Enters an access; says whether a copy will change nothing that others may meet.
bool enter_access(std::uintptr_t address, std::size_t bytes, const Access& access);
// Whether a copy of a thread, still under way, will bring these bytes to an address.
bool copy_brings(int thread, const unsigned char* address, const unsigned char* value, std::size_t bytes);
// Of lines that a new block begins with.
void forget_chunks();
void land_copy(std::uintptr_t address, std::size_t bytes, Event event);

// Keeps the race for `tell_races`.
void report_race(const Region& region, std::size_t byte, const Access& earlier, const Access& now);
// Names a place of an array as races do.
void name_place(const void* place, char* words, std::size_t size);
// What was written by plain accesses, and not fenced since, is not to be touched by the async proxy.
void report_unfenced(const Region& region, std::size_t byte, Event earlier, const Access& now);
// Keeps an access of a byte of shared memory that nobody in the block wrote before, for `tell_races`.
void report_unwritten(const Region& region, std::size_t byte, const Access& access);
// A race of two blocks, where the epoch of the earlier event is the earlier block's ordinal.
[[noreturn]] void report_race_of_blocks(const Region& region, std::size_t byte, const Access& earlier, const Access& now);

}  // namespace vtac
