// Asynchronous copies: per thread a queue of groups; data arrives when its group is waited for.
#include <cstdlib>
#include <cstring>

#include "bounds.h"
#include "events.h"
#include "matrices.h"

namespace vtac {

namespace {

struct Copy {
    unsigned char* destination;
    const unsigned char* source;
    unsigned bytes, zero_fill;
    unsigned group;
    int line;
};

struct Queue {
    Copy* copies;
    int count, capacity;
    unsigned group;  // the one that the next commit closes
};

Queue* queues = nullptr;
int queue_count = 0;

void check_copy(const void* destination, const void* source, std::size_t bytes, std::size_t zero_fill) {
    if (bytes != 4 && bytes != 8 && bytes != 16)
        fail("async-copy", "an asynchronous copy of %zu bytes, %s: 4, 8 or 16 are possible", bytes, place());
    if (zero_fill > bytes)
        fail("async-copy", "an asynchronous copy of %zu bytes with %zu of zeros, %s", bytes, zero_fill, place());
    const auto addresses = reinterpret_cast<std::uintptr_t>(destination) | reinterpret_cast<std::uintptr_t>(source);
    if (addresses % bytes)
        fail("misaligned", "an asynchronous copy of %zu bytes from %p to %p, %s: both must be multiples of its size",
             bytes, source, destination, place());
    const Region* to = find_region(destination);
    if (!to || !is_shared(*to))
        fail("async-copy", "an asynchronous copy to %p, %s: its destination must be shared memory", destination, place());
    const Region* from = find_region(source);
    if (zero_fill < bytes && (!from || is_shared(*from) || from->kind == Region::stacks))
        fail("async-copy", "an asynchronous copy from %p, %s: its source must be global memory", source, place());
    require_inside(*to, destination, bytes, Touch::write);
    if (zero_fill < bytes) require_inside(*from, source, bytes - zero_fill, Touch::read);
}

bool enter_copy(const void* destination, const void* source, std::size_t bytes, std::size_t zero_fill, int line) {
    unsigned char value[16] = {};
    if (bytes > zero_fill) std::memcpy(value, source, bytes - zero_fill);
    settle_writes();
    return enter_access(reinterpret_cast<std::uintptr_t>(destination), bytes,
                        {Touch::write, event_of(current_thread(), site_is_line | copy_in_flight | Event(line)), value});
}

void land(const Copy& copy, int thread) {
    const Event event = event_of(thread, site_is_line | Event(copy.line));
    land_copy(reinterpret_cast<std::uintptr_t>(copy.destination), copy.bytes, event);
}

}  // namespace

bool copy_brings(int thread, const unsigned char* address, const unsigned char* value, std::size_t bytes) {
    if (thread >= first_warp) return false;
    for (int i = queues[thread].count - 1; i >= 0; --i) {
        const Copy& copy = queues[thread].copies[i];
        if (address < copy.destination || address + bytes > copy.destination + copy.bytes) continue;
        unsigned char brought[16] = {};
        if (copy.bytes > copy.zero_fill) std::memcpy(brought, copy.source, copy.bytes - copy.zero_fill);
        return !std::memcmp(brought + (address - copy.destination), value, bytes);
    }
    return false;
}

void start_copies(int threads) {
    queue_count = threads;
    queues = static_cast<Queue*>(std::calloc(threads, sizeof(Queue)));
    if (!queues) fail("memory", "cannot allocate the queues of copies");
}

void forget_copies() {
    if (finds_races)
        for (int i = 0; i < queue_count; ++i)
            for (int k = 0; k < queues[i].count; ++k) land(queues[i].copies[k], i);
    for (int i = 0; i < queue_count; ++i) queues[i].count = 0, queues[i].group = 0;
}

void copy_async(void* destination, const void* source, std::size_t bytes, std::size_t zero_fill, int line) {
    check_copy(destination, source, bytes, zero_fill);
    check_not_pending(destination, bytes, "copied to");
    const bool changes_nothing = finds_races && enter_copy(destination, source, bytes, zero_fill, line);
    Queue& queue = queues[current_thread()];
    if (queue.count == queue.capacity) {
        queue.capacity = queue.capacity ? 2 * queue.capacity : 64;
        queue.copies = static_cast<Copy*>(std::realloc(queue.copies, queue.capacity * sizeof(Copy)));
        if (!queue.copies) fail("memory", "cannot allocate a queue of %d copies", queue.capacity);
    }
    auto* to = static_cast<unsigned char*>(destination);
    if (!changes_nothing) std::memset(to, 0xff, bytes);
    queue.copies[queue.count++] = {to, static_cast<const unsigned char*>(source), unsigned(bytes), unsigned(zero_fill),
                                   queue.group, line};
}

void commit_copies() { ++queues[current_thread()].group; }

void wait_for_copies(std::size_t groups_in_flight) {
    Queue& queue = queues[current_thread()];
    int kept = 0;
    for (int i = 0; i < queue.count; ++i) {
        const Copy& copy = queue.copies[i];
        if (copy.group + groups_in_flight >= queue.group) {
            queue.copies[kept++] = copy;
            continue;
        }
        const unsigned read = copy.bytes - copy.zero_fill;
        if (read) std::memcpy(copy.destination, copy.source, read);
        std::memset(copy.destination + read, 0, copy.zero_fill);
        if (finds_races) land(copy, current_thread());
    }
    queue.count = kept;
}

}  // namespace vtac
