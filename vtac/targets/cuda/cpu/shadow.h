// What is known of memory that threads share: of each byte within a block, of each output's element between blocks.
#pragma once

#include <sys/mman.h>

#include "events.h"

namespace vtac {

// The last write, one that repeated it, and the accesses since: two are enough to know whether any later write meets
// one. Who has written what is there already, or comes after one who did, reads it whoever else writes the same.
struct Cell {
    Event write, repeated, read, other_read;
};

std::uint32_t next_epoch();
// At a warp barrier lanes get to know what each of them knows.
void share_knowledge(int warp);
// The same for a block's threads at its barrier: for other blocks all that they did before is told with what they tell.
void share_knowledge_of_block(int rank);
// Enters an access; returns an earlier one that conflicts and that nothing orders before it, or event 0. A write that
// conflicts is entered as one that repeats what is there.
Access enter(Cell& cell, const Access& access);

// Who touched an output's element first, and what its block wrote, in memory of all workers, as the blocks' meetings
// are theirs; and which of this worker's blocks wrote it last.
struct Owners {
    Event *writers, *readers, *other_readers;
    std::uint64_t* values;
    std::uint32_t* latest_writers;
};

Owners owners_of(const Region& region);
// Enters an access of an output, after it was made.
void enter_owners(const Region& region, const Owners& owners, std::uintptr_t address, std::size_t bytes,
                  const Access& access);

// Zeroed memory that is there once it is touched.
template <class T>
inline T* reserve(std::size_t count, int sharing) {
    void* memory = mmap(nullptr, count * sizeof(T) + 1, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
    if (memory == MAP_FAILED) fail("memory", "cannot reserve %zu bytes to find races with", count * sizeof(T));
    return static_cast<T*>(memory);
}

}  // namespace vtac
