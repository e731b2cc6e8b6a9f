// What each byte of shared memory and of the outputs has seen since barriers last ordered everything.
#include <sched.h>
#include <sys/mman.h>

#include <cstring>

#include "events.h"

namespace vtac {

Epochs epochs = {};

namespace {

// The last write, one that repeated it, and the accesses since: two are enough to know whether any later write meets
// one. Who has written what is there already, or comes after one who did, reads it whoever else writes the same.
struct Cell {
    Event write, repeated, read, other_read;
};

constexpr unsigned line_bytes = 16;

// Sixteen bytes that have seen the same, or, where accesses touched some of them only, a chunk with a
// cell for each. A line whose latest event a block barrier orders before everything to come is empty.
struct Line {
    Cell whole;
    std::uint32_t latest, chunk;
};

struct Chunk {
    Cell cells[line_bytes];
};

// Who touched an output's element first, and what its block wrote, in memory of all workers, as the blocks' meetings
// are theirs; and which of this worker's blocks wrote it last.
struct Owners {
    Event *writers, *readers, *other_readers;
    std::uint64_t* values;
    std::uint32_t* latest_writers;
};
constexpr Event value_is_known = copy_in_flight;  // of owners that write

struct Shadow {
    const Region* region;
    std::uintptr_t begin;
    std::size_t bytes;
    Line* lines;
    Owners owners;
};

constexpr int max_shadows = 192;
Shadow shadows[max_shadows];
int shadow_count = 0;
Chunk* chunks = nullptr;  // the first one stands for none
std::uint32_t chunk_count = 1, free_chunk = 0;
std::uint32_t block_ordinal = 0, block_start = 0;  // the block's number in the job, from 1, and its first epoch

constexpr std::size_t chunk_limit = std::size_t(1) << 24;

template <class T>
T* reserve(std::size_t count, int sharing) {
    void* memory = mmap(nullptr, count * sizeof(T) + 1, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
    if (memory == MAP_FAILED) fail("memory", "cannot reserve %zu bytes to find races with", count * sizeof(T));
    return static_cast<T*>(memory);
}

// A chunk's first event links it to the next free one.
void release_chunk(Line& line) {
    chunks[line.chunk].cells[0].write = free_chunk;
    free_chunk = line.chunk;
    line.chunk = 0;
}

void split(Line& line) {
    if (free_chunk) {
        line.chunk = free_chunk;
        free_chunk = std::uint32_t(chunks[free_chunk].cells[0].write);
    } else {
        if (chunk_count == chunk_limit) fail("limit", "a block touches more than %zu parts of memory", chunk_limit);
        line.chunk = chunk_count++;
    }
    for (Cell& cell : chunks[line.chunk].cells) cell = line.whole;
}

void note_read(Cell& cell, Event event) {
    const int who = who_of(event);
    if (!cell.read || epoch_of(cell.read) < epochs.block_barrier) {
        cell.read = event, cell.other_read = 0;
        return;
    }
    const int warp = warp_of(who_of(cell.read));
    if (who_of(cell.read) == who && epoch_of(cell.read) == epoch_of(event)) return;
    if (cell.other_read && warp_of(who_of(cell.other_read)) != warp) return;
    if (warp_of(who) != warp) {
        cell.other_read = event;
    } else if (epoch_of(cell.read) < epoch_of(event)) {
        cell.read = event, cell.other_read = 0;
    } else if (!cell.other_read) {
        cell.other_read = event;
    }
}

// Enters an access; returns an earlier one that conflicts and that nothing orders before it, or event 0. A write that
// conflicts is entered as one that repeats what is there.
Access enter(Cell& cell, const Access& access) {
    const Event event = access.event;
    if (access.touch == Touch::read) {
        const bool may_see_either = !meet_peacefully(cell.write, event);
        if (may_see_either && !(cell.repeated && is_ordered(cell.repeated, who_of(event)))) return {Touch::write, cell.write};
        for (const Event atomic : {cell.read, cell.other_read})
            if ((atomic & is_atomic) && !is_ordered(atomic, who_of(event))) return {Touch::write, atomic};
        note_read(cell, event);
        return {};
    }
    for (const Event write : {cell.write, cell.repeated}) {
        if (meet_peacefully(write, event)) continue;
        cell.repeated = event;
        return {Touch::write, write};
    }
    for (const Event read : {cell.read, cell.other_read}) {
        if (meet_peacefully(read, event)) continue;
        cell.repeated = event;
        return {read & is_atomic ? Touch::write : Touch::read, read};
    }
    cell.write = event;
    cell.repeated = 0;
    if (event & is_atomic) {
        note_read(cell, event);  // atomic updates gather like reads: a later access meets any of them
    } else {
        cell.read = cell.other_read = 0;
    }
    return {};
}

// A write that conflicts with earlier accesses of some bytes, unless it leaves them as they were.
struct Doubt {
    const Region* region;
    unsigned char* start;
    unsigned bytes;
    unsigned char before[line_bytes];
    Access earlier, now;
};

constexpr int max_doubts = 1024;
Doubt doubts[max_doubts];
int doubt_count = 0;

void report_at(const Region& region, const unsigned char* byte, const Access& earlier, const Access& now) {
    report_race(region, byte - region.data, earlier, now);
}

// Says whether the access, a copy, brings what is there.
bool doubt(const Region& region, unsigned char* start, unsigned bytes, const Access& earlier, const Access& now) {
    if (now.touch == Touch::read || (now.event & is_atomic) || doubt_count == max_doubts) {
        report_at(region, start, earlier, now);
        return false;
    }
    if (now.value) {
        const bool same = earlier.event & copy_in_flight ? copy_brings(who_of(earlier.event), start, now.value, bytes)
                                                         : !std::memcmp(start, now.value, bytes);
        if (!same) report_at(region, start, earlier, now);
        return same;
    }
    if (earlier.event & copy_in_flight) {
        report_at(region, start, earlier, now);
        return false;
    }
    Doubt& entry = doubts[doubt_count++];
    entry = {&region, start, bytes, {}, earlier, now};
    std::memcpy(entry.before, start, bytes);
    return true;
}

bool enter_line(const Region& region, Line& line, unsigned char* start, unsigned from, unsigned to, const Access& access) {
    if (line.latest < epochs.block_barrier) {
        if (line.chunk && line.latest >= block_start) release_chunk(line);
        line = {};
    }
    const bool is_whole = !line.chunk && from == 0 && to == line_bytes;
    if (!is_whole && !line.chunk) split(line);
    Cell* cells = is_whole ? &line.whole : chunks[line.chunk].cells;
    bool changes_nothing = false;
    for (unsigned i = from, next; i < to; i = next) {
        const Access earlier = enter(cells[is_whole ? 0 : i], access);
        next = is_whole ? to : i + 1;
        if (!earlier.event) continue;
        while (next < to && cells[next].write == cells[i].write && cells[next].read == cells[i].read &&
               enter(cells[next], access).event == earlier.event)
            ++next;
        Access now = access;
        if (now.value) now.value += i - from;
        changes_nothing |= doubt(region, start + i, next - i, earlier, now);
    }
    const std::uint32_t epoch = access.event & copy_in_flight ? last_epoch : epoch_of(access.event);
    if (line.latest < epoch) line.latest = epoch;
    return changes_nothing;
}

// Owners hold the block's ordinal in place of the epoch.
Event owned(Event event) {
    return Event(block_ordinal) << epoch_shift | (event & ((Event(1) << epoch_shift) - 1));
}

void meet_owner(const Shadow& shadow, std::size_t element, Event owner, Touch before, const Access& access) {
    if (!owner || epoch_of(owner) == block_ordinal || (owner & access.event & is_atomic)) return;
    report_race_of_blocks(*shadow.region, element * shadow.region->shape.element_bytes, {before, owner}, access);
}

// The first owner stays; says who it is.
Event claim(Event* owner, Event event) {
    Event expected = 0;
    return __atomic_compare_exchange_n(owner, &expected, event, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? event
                                                                                                          : expected;
}

std::uint64_t value_of(const Region& region, std::size_t element) {
    std::uint64_t value = 0;
    std::memcpy(&value, region.data + element * region.shape.element_bytes, region.shape.element_bytes);
    return value;
}

// Whether another block, the element's owner, has written the same; it may be about to say what.
bool repeats(const Owners& owners, std::size_t element, std::uint64_t value) {
    while (!(__atomic_load_n(owners.writers + element, __ATOMIC_SEQ_CST) & value_is_known)) sched_yield();
    return __atomic_load_n(owners.values + element, __ATOMIC_SEQ_CST) == value;
}

void own_written(const Shadow& shadow, std::size_t element, const Access& access) {
    const Owners& owners = shadow.owners;
    const std::uint64_t value = value_of(*shadow.region, element);
    owners.latest_writers[element] = block_ordinal;
    const Event owner = claim(owners.writers + element, owned(access.event));
    if (epoch_of(owner) != block_ordinal) {
        if (owner & access.event & is_atomic || repeats(owners, element, value)) return;
        meet_owner(shadow, element, owner, Touch::write, access);
    }
    __atomic_store_n(owners.values + element, value, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(owners.writers + element, value_is_known, __ATOMIC_SEQ_CST);
    meet_owner(shadow, element, __atomic_load_n(owners.readers + element, __ATOMIC_SEQ_CST), Touch::read, access);
    meet_owner(shadow, element, __atomic_load_n(owners.other_readers + element, __ATOMIC_SEQ_CST), Touch::read, access);
}

void own_read(const Shadow& shadow, std::size_t element, const Access& access) {
    const Owners& owners = shadow.owners;
    if (owners.latest_writers[element] == block_ordinal) return;
    const Event first = claim(owners.readers + element, owned(access.event));
    if (epoch_of(first) != block_ordinal) claim(owners.other_readers + element, owned(access.event));
    meet_owner(shadow, element, __atomic_load_n(owners.writers + element, __ATOMIC_SEQ_CST), Touch::write, access);
}

void enter_owners(const Shadow& shadow, std::uintptr_t address, std::size_t bytes, const Access& access) {
    const std::uintptr_t data = reinterpret_cast<std::uintptr_t>(shadow.region->data);
    if (address < data || address + bytes > data + shadow.region->bytes) return;
    const std::size_t size = shadow.region->shape.element_bytes, end = (address + bytes - data + size - 1) / size;
    for (std::size_t i = (address - data) / size; i < end; ++i)
        access.touch == Touch::write ? own_written(shadow, i, access) : own_read(shadow, i, access);
}

// Writes of outputs whose values are yet to be looked at.
struct Written {
    const Shadow* shadow;
    std::uintptr_t address;
    std::size_t bytes;
    Access access;
};

Written written[64];
int written_count = 0;

}  // namespace

void shadow_region(const Region& region) {
    if (shadow_count == max_shadows) fail("limit", "more than %d arrays to find races in", max_shadows);
    if (!chunks) chunks = reserve<Chunk>(chunk_limit, MAP_PRIVATE);
    const std::size_t lines = region.page_bytes / line_bytes, elements = region.bytes / region.shape.element_bytes;
    Shadow& shadow = shadows[shadow_count++];
    shadow = {&region, reinterpret_cast<std::uintptr_t>(region.pages), region.page_bytes, reserve<Line>(lines, MAP_PRIVATE), {}};
    if (is_shared(region)) return;
    auto* owners = reserve<Event>(4 * elements, MAP_SHARED);
    shadow.owners = {owners, owners + elements, owners + 2 * elements, owners + 3 * elements,
                     reserve<std::uint32_t>(elements, MAP_PRIVATE)};
}

void settle_writes() {
    for (int i = 0; i < doubt_count; ++i) {
        const Doubt& entry = doubts[i];
        unsigned same = 0;
        while (same < entry.bytes && entry.start[same] == entry.before[same]) ++same;
        if (same < entry.bytes) report_at(*entry.region, entry.start + same, entry.earlier, entry.now);
    }
    doubt_count = 0;
    for (int i = 0; i < written_count; ++i)
        enter_owners(*written[i].shadow, written[i].address, written[i].bytes, written[i].access);
    written_count = 0;
}

bool enter_access(std::uintptr_t address, std::size_t bytes, const Access& access) {
    bool changes_nothing = false;
    for (int s = 0; s < shadow_count; ++s) {
        const Shadow& shadow = shadows[s];
        const std::size_t offset = address - shadow.begin;
        if (offset >= shadow.bytes) continue;
        const std::size_t end = offset + bytes < shadow.bytes ? offset + bytes : shadow.bytes;
        for (std::size_t at = offset / line_bytes * line_bytes; at < end; at += line_bytes) {
            const unsigned from = at < offset ? unsigned(offset - at) : 0;
            const unsigned to = end - at < line_bytes ? unsigned(end - at) : line_bytes;
            changes_nothing |= enter_line(*shadow.region, shadow.lines[at / line_bytes], shadow.region->pages + at, from,
                                          to, access);
        }
        if (!shadow.owners.writers) return changes_nothing;
        if (access.touch == Touch::read) {
            enter_owners(shadow, address, bytes, access);
        } else {
            written[written_count++] = {&shadow, address, bytes, access};
        }
        return false;
    }
    return false;
}

// What waited for a copy may use its destination from then on: `event` takes the place of the copy's.
void land_copy(std::uintptr_t address, std::size_t bytes, Event event) {
    for (int s = 0; s < shadow_count; ++s) {
        const Shadow& shadow = shadows[s];
        if (address - shadow.begin >= shadow.bytes) continue;
        Line& line = shadow.lines[(address - shadow.begin) / line_bytes];  // aligned to its size, it lies in one line
        Cell* cells = line.chunk ? chunks[line.chunk].cells : &line.whole;
        const unsigned first = line.chunk ? address % line_bytes : 0, count = line.chunk ? unsigned(bytes) : 1;
        for (unsigned i = first; i < first + count; ++i)
            for (Event* write : {&cells[i].write, &cells[i].repeated})
                if ((*write & copy_in_flight) && who_of(*write) == who_of(event)) *write = event;
        line.latest = epoch_of(event);
        for (unsigned i = 0; i < (line.chunk ? line_bytes : 1); ++i)
            if ((cells[i].write | cells[i].repeated) & copy_in_flight) line.latest = last_epoch;
        return;
    }
}

void start_epochs(std::uint32_t ordinal) {
    block_ordinal = ordinal;
    pass_block_barrier();
    block_start = epochs.block_barrier;
    chunk_count = 1, free_chunk = 0;
}

void pass_block_barrier() {
    if (epochs.now >= last_epoch - 1) fail("limit", "more than %u barriers in one run", last_epoch);
    epochs.block_barrier = ++epochs.now;
    for (std::uint32_t& warp : epochs.warps) warp = epochs.now;
}

void pass_warp_barrier(int warp) {
    if (epochs.now >= last_epoch - 1) fail("limit", "more than %u barriers in one run", last_epoch);
    epochs.warps[warp] = ++epochs.now;
}

}  // namespace vtac
