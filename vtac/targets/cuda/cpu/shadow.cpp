// What each byte of shared memory and of the outputs has seen since barriers last ordered everything.
#include <sys/mman.h>

#include "events.h"

namespace vtac {

Epochs epochs = {};

namespace {

// The last write, and the accesses since: two are enough to know whether any later write meets one.
struct Cell {
    Event write, read, other_read;
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

// Who touched an output's element first: in memory of all workers, as the blocks' meetings are theirs.
struct Owners {
    Event *writers, *readers, *other_readers;
};

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

// Enters an access; returns an earlier one that conflicts and that nothing orders before it, or event 0.
Access enter(Cell& cell, const Access& access) {
    const Event event = access.event;
    if (cell.write && !meet_peacefully(cell.write, event)) return {Touch::write, cell.write};
    if (access.touch == Touch::read) {
        for (const Event atomic : {cell.read, cell.other_read})
            if ((atomic & is_atomic) && !is_ordered(atomic, who_of(event))) return {Touch::write, atomic};
        note_read(cell, event);
        return {};
    }
    for (const Event read : {cell.read, cell.other_read})
        if (read && !meet_peacefully(read, event)) return {read & is_atomic ? Touch::write : Touch::read, read};
    cell.write = event;
    if (event & is_atomic) {
        note_read(cell, event);  // atomic updates gather like reads: a later access meets any of them
    } else {
        cell.read = cell.other_read = 0;
    }
    return {};
}

void enter_line(const Shadow& shadow, Line& line, std::uintptr_t start, unsigned from, unsigned to, const Access& access) {
    if (line.latest < epochs.block_barrier) {
        if (line.chunk && line.latest >= block_start) release_chunk(line);
        line = {};
    }
    const bool whole = !line.chunk && from == 0 && to == line_bytes;
    if (!whole && !line.chunk) split(line);
    Cell* cells = whole ? &line.whole : chunks[line.chunk].cells;
    const unsigned first = whole ? 0 : from, end = whole ? 1 : to;
    for (unsigned i = first; i < end; ++i) {
        const Access earlier = enter(cells[i], access);
        if (!earlier.event) continue;
        report_race(*shadow.region, start + (whole ? from : i) - reinterpret_cast<std::uintptr_t>(shadow.region->data),
                    earlier, access);
    }
    const std::uint32_t epoch = access.event & copy_in_flight ? last_epoch : epoch_of(access.event);
    if (line.latest < epoch) line.latest = epoch;
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
    Event expected = __atomic_load_n(owner, __ATOMIC_SEQ_CST);
    if (expected) return expected;
    return __atomic_compare_exchange_n(owner, &expected, event, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? event
                                                                                                          : expected;
}

void enter_owners(const Shadow& shadow, std::uintptr_t address, std::size_t bytes, const Access& access) {
    const std::uintptr_t data = reinterpret_cast<std::uintptr_t>(shadow.region->data);
    if (address < data || address + bytes > data + shadow.region->bytes) return;
    const std::size_t size = shadow.region->shape.element_bytes;
    const std::size_t end = (address + bytes - data + size - 1) / size;
    const Event event = owned(access.event);
    const Owners& owners = shadow.owners;
    for (std::size_t i = (address - data) / size; i < end; ++i) {
        if (access.touch == Touch::write) {
            meet_owner(shadow, i, claim(owners.writers + i, event), Touch::write, access);
            meet_owner(shadow, i, __atomic_load_n(owners.readers + i, __ATOMIC_SEQ_CST), Touch::read, access);
            meet_owner(shadow, i, __atomic_load_n(owners.other_readers + i, __ATOMIC_SEQ_CST), Touch::read, access);
            continue;
        }
        const Event first = claim(owners.readers + i, event);
        if (epoch_of(first) != block_ordinal) claim(owners.other_readers + i, event);
        meet_owner(shadow, i, __atomic_load_n(owners.writers + i, __ATOMIC_SEQ_CST), Touch::write, access);
    }
}

}  // namespace

void shadow_region(const Region& region) {
    if (shadow_count == max_shadows) fail("limit", "more than %d arrays to find races in", max_shadows);
    if (!chunks) chunks = reserve<Chunk>(chunk_limit, MAP_PRIVATE);
    const std::size_t lines = region.page_bytes / line_bytes, elements = region.bytes / region.shape.element_bytes;
    Shadow& shadow = shadows[shadow_count++];
    shadow = {&region, reinterpret_cast<std::uintptr_t>(region.pages), region.page_bytes, reserve<Line>(lines, MAP_PRIVATE), {}};
    if (is_shared(region)) return;
    auto* owners = reserve<Event>(3 * elements, MAP_SHARED);
    shadow.owners = {owners, owners + elements, owners + 2 * elements};
}

void enter_access(std::uintptr_t address, std::size_t bytes, const Access& access) {
    for (int s = 0; s < shadow_count; ++s) {
        const Shadow& shadow = shadows[s];
        const std::size_t offset = address - shadow.begin;
        if (offset >= shadow.bytes) continue;
        const std::size_t end = offset + bytes < shadow.bytes ? offset + bytes : shadow.bytes;
        for (std::size_t at = offset / line_bytes * line_bytes; at < end; at += line_bytes) {
            const unsigned from = at < offset ? unsigned(offset - at) : 0;
            const unsigned to = end - at < line_bytes ? unsigned(end - at) : line_bytes;
            enter_line(shadow, shadow.lines[at / line_bytes], shadow.begin + at, from, to, access);
        }
        if (shadow.owners.writers) enter_owners(shadow, address, bytes, access);
        return;
    }
}

// The copy's destination takes `event` as its last write: who waited for it may use it from then on.
void land_copy(std::uintptr_t address, std::size_t bytes, Event event) {
    for (int s = 0; s < shadow_count; ++s) {
        const Shadow& shadow = shadows[s];
        if (address - shadow.begin >= shadow.bytes) continue;
        Line& line = shadow.lines[(address - shadow.begin) / line_bytes];  // aligned to its size, it lies in one line
        line.latest = epoch_of(event);
        if (!line.chunk) {
            line.whole.write = event;
            return;
        }
        Cell* cells = chunks[line.chunk].cells;
        for (unsigned i = address % line_bytes, end = i + unsigned(bytes); i < end; ++i) cells[i].write = event;
        for (unsigned i = 0; i < line_bytes; ++i)
            if (cells[i].write & copy_in_flight) line.latest = last_epoch;
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
