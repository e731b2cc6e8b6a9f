// What each byte of shared memory and of the outputs has seen since barriers last ordered everything.
#include <cstring>

#include "shadow.h"

namespace vtac {

namespace {

constexpr unsigned line_bytes = 16;

// Sixteen bytes that have seen the same, or, where accesses touched some of them only, a chunk with a
// cell for each. A line whose latest event a block barrier orders before everything to come is empty.
struct Line {
    Cell whole;
    std::uint32_t latest, chunk;
    std::uint32_t writing_block;  // the number in the job of the first block that runs
    std::uint16_t written;        // a bit for each byte that it has written
    Event plain_write;      // the last one of shared memory by the generic proxy, unless the async proxy wrote since
};

struct Chunk {
    Cell cells[line_bytes];
};

struct Shadow {
    const Region* region;
    std::uintptr_t begin;
    std::size_t bytes;
    Line* lines;
    Owners owners;
};

constexpr int max_shadows = 1216;
Shadow shadows[max_shadows];
int shadow_count = 0;

// Chunks come in slabs, as they are needed; the first one stands for none.
constexpr std::uint32_t slab_chunks = 1024, max_slabs = 16384;
Chunk* slabs[max_slabs];
std::uint32_t chunk_count = 1, free_chunk = 0;

Cell* cells_of(std::uint32_t chunk) { return slabs[chunk / slab_chunks][chunk % slab_chunks].cells; }

// A chunk's first event links it to the next free one.
void release_chunk(Line& line) {
    cells_of(line.chunk)->write = free_chunk;
    free_chunk = line.chunk;
    line.chunk = 0;
}

void split(Line& line) {
    if (free_chunk) {
        line.chunk = free_chunk;
        free_chunk = std::uint32_t(cells_of(free_chunk)->write);
    } else {
        if (chunk_count == slab_chunks * max_slabs) fail("limit", "a block touches more than %u parts of memory", chunk_count);
        Chunk*& slab = slabs[chunk_count / slab_chunks];
        if (!slab) slab = reserve<Chunk>(slab_chunks, MAP_PRIVATE);
        line.chunk = chunk_count++;
    }
    Cell* cells = cells_of(line.chunk);
    for (unsigned i = 0; i < line_bytes; ++i) cells[i] = line.whole;
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

// Whether who wrote has passed a fence between the proxies since: each lane, where it is not known which of them wrote.
bool is_fenced(Event write) {
    const int who = who_of(write), first = who < first_warp ? who : (who - first_warp) * lanes_per_warp;
    const int last = who < first_warp ? who : first + lanes_per_warp - 1;
    for (int thread = first; thread <= last; ++thread)
        if (fences[thread] <= epoch_of(write)) return false;
    return true;
}

// Shared memory holds nothing when a block begins.
void look_for_unwritten(const Region& region, Line& line, const unsigned char* start, unsigned from, unsigned to,
                        const Access& access) {
    if (line.writing_block != cluster.ordinal)
        line.writing_block = cluster.ordinal, line.written = 0, line.plain_write = 0;
    if (access.is_async && line.plain_write && !is_fenced(line.plain_write))
        report_unfenced(region, start + from - region.data, line.plain_write, access);
    if (access.touch == Touch::write) line.plain_write = access.is_async ? 0 : access.event;
    const unsigned touched = (1u << to) - (1u << from), unwritten = touched & ~line.written;
    if (unwritten && (access.touch == Touch::read || (access.event & is_atomic)))
        report_unwritten(region, start + __builtin_ctz(unwritten) - region.data, access);
    if (access.touch == Touch::write) line.written |= touched;
}

bool enter_line(const Region& region, Line& line, unsigned char* start, unsigned from, unsigned to, const Access& access) {
    if (line.latest < epochs.cleared) {
        if (line.chunk && line.latest >= epochs.start) release_chunk(line);
        line.whole = {}, line.latest = line.chunk = 0;
    }
    if (is_shared(region)) look_for_unwritten(region, line, start, from, to, access);
    const bool is_whole = !line.chunk && from == 0 && to == line_bytes;
    if (!is_whole && !line.chunk) split(line);
    Cell* cells = is_whole ? &line.whole : cells_of(line.chunk);
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
    shadows[shadow_count++] = {&region, reinterpret_cast<std::uintptr_t>(region.pages), region.page_bytes,
                               reserve<Line>(region.page_bytes / line_bytes, MAP_PRIVATE),
                               is_shared(region) ? Owners() : owners_of(region)};
}

void forget_chunks() { chunk_count = 1, free_chunk = 0; }

void settle_writes() {
    for (int i = 0; i < doubt_count; ++i) {
        const Doubt& entry = doubts[i];
        unsigned same = 0;
        while (same < entry.bytes && entry.start[same] == entry.before[same]) ++same;
        if (same < entry.bytes) report_at(*entry.region, entry.start + same, entry.earlier, entry.now);
    }
    doubt_count = 0;
    for (int i = 0; i < written_count; ++i)
        enter_owners(*written[i].shadow->region, written[i].shadow->owners, written[i].address, written[i].bytes,
                     written[i].access);
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
            enter_owners(*shadow.region, shadow.owners, address, bytes, access);
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
        Cell* cells = line.chunk ? cells_of(line.chunk) : &line.whole;
        const unsigned first = line.chunk ? address % line_bytes : 0, count = line.chunk ? unsigned(bytes) : 1;
        for (unsigned i = first; i < first + count; ++i)
            for (Event* write : {&cells[i].write, &cells[i].repeated})
                if ((*write & copy_in_flight) && who_of(*write) == who_of(event)) *write = event;
        line.latest = epoch_of(event);
        if (who_of(event) < first_agent) line.plain_write = event;
        for (unsigned i = 0; i < (line.chunk ? line_bytes : 1); ++i)
            if ((cells[i].write | cells[i].repeated) & copy_in_flight) line.latest = last_epoch;
        return;
    }
}

}  // namespace vtac
