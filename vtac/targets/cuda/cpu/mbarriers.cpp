// mbarriers: phases that are complete when all arrivals and all expected bytes have come.
#include <cstdio>
#include <cstring>

#include "mbarriers.h"
#include "shadow.h"

namespace vtac {

namespace {

constexpr int most_arrivals = (1 << 20) - 1;
Mbarrier barriers[most_mbarriers];
int barrier_count = 0;
// What lies in memory while a barrier is in use: whoever writes over it destroys it.
constexpr std::uint64_t opaque = 0x766d626172726965ull;

Mbarrier* find(std::uint32_t address) {
    for (int i = 0; i < barrier_count; ++i)
        if (barriers[i].address == address && barriers[i].expected) return &barriers[i];
    return nullptr;
}

unsigned char* memory_of(std::uint32_t address) { return const_cast<unsigned char*>(shared_pointer(address, 8)); }

void flip_if_complete(Mbarrier& barrier) {
    if (barrier.pending || barrier.transactions) return;
    ++barrier.phase;
    barrier.pending = barrier.expected;
    std::memcpy(barrier.complete.known, barrier.gathering.known, sizeof barrier.complete.known);
    barrier.completed_remotely = barrier.gathers_remotely, barrier.gathers_remotely = false;
}

}  // namespace

int issuer_of(int agent) { return barriers[agent - first_agent].issuer; }

int block_of_agent(int agent) { return rank_of(barriers[agent - first_agent].address); }

int mbarriers_in_use() { return barrier_count; }

int agent_of(const Mbarrier& barrier) { return first_agent + int(&barrier - barriers); }

Mbarrier& mbarrier_at(std::uint32_t address, const char* what, int line) {
    address = in_cluster(address);
    const unsigned char* memory = shared_pointer(address, 8);
    Mbarrier* barrier = find(address);
    if (!barrier)
        fail("mbarrier", "%s of an mbarrier that was not initialised, in @line:%d@, at byte %u of shared memory, %s", what,
             line, address & 0xfffff, place());
    std::uint64_t found;
    std::memcpy(&found, memory, 8);
    if (found != opaque)
        fail("mbarrier", "%s of an mbarrier in @line:%d@, over which something else was written, %s", what, line, place());
    return *barrier;
}

void init_mbarrier(std::uint32_t address, unsigned count, int line) {
    address = in_cluster(address);
    unsigned char* memory = memory_of(address);
    if (address % 8) fail("misaligned", "an mbarrier at byte %u of shared memory, in @line:%d@, %s: a multiple of 8 is required", address & 0xfffff, line, place());
    if (count < 1 || count > unsigned(most_arrivals))
        fail("mbarrier", "an mbarrier for %u arrivals, in @line:%d@, %s: 1 to %d are possible", count, line, place(), most_arrivals);
    if (find(address))
        fail("mbarrier", "an mbarrier is initialised in @line:%d@ that is in use since line %d, %s: initialise it once",
             line, find(address)->line, place());
    if (barrier_count == most_mbarriers) fail("limit", "more than %d mbarriers in a block", most_mbarriers);
    Mbarrier& barrier = barriers[barrier_count++];
    std::memset(&barrier, 0, sizeof barrier);
    barrier.address = address, barrier.expected = barrier.pending = int(count);
    barrier.line = line, barrier.thread = current_thread(), barrier.issuer = current_thread();
    if (finds_races) {
        settle_writes();
        enter_access(reinterpret_cast<std::uintptr_t>(memory), 8,
                     {Touch::write, event_of(current_thread(), site_is_line | Event(line))});
    }
    std::memcpy(memory, &opaque, 8);
}

namespace {

// The barrier for an arrival: it must be known to the thread, and the phase must still miss one.
Mbarrier& arrive_at(std::uint32_t address, unsigned count, int line) {
    const int rank = rank_of(in_cluster(address));
    touch_remotely(rank, "an arrival", line);
    Mbarrier& barrier = mbarrier_at(address, "an arrival", line);
    const unsigned char* memory = shared_pointer(address, 8);
    note_atomic(memory, 8, line);
    char name[200];
    name_place(memory, name, sizeof name);
    if (int(count) > barrier.pending)
        fail("mbarrier",
             "%u arrivals in @line:%d@ at the mbarrier %s, whose phase %u still misses %d of %d, %s: it counts too few, or a "
             "thread arrives too often or too early",
             count, line, name, barrier.phase, barrier.pending, barrier.expected, place());
    barrier.gathers_remotely |= rank != current_block();
    tell(current_thread(), barrier.gathering);
    return barrier;
}

}  // namespace

void arrive_mbarrier(std::uint32_t address, unsigned count, unsigned bytes, int line) {
    Mbarrier& barrier = arrive_at(address, count, line);
    barrier.transactions += bytes;
    if (barrier.transactions > most_arrivals)
        fail("mbarrier", "%ld bytes are expected in @line:%d@, %s: at most %d are possible", barrier.transactions, line, place(), most_arrivals);
    barrier.pending -= int(count);
    flip_if_complete(barrier);
}

void expect_mbarrier(std::uint32_t address, unsigned bytes, int line) {
    Mbarrier& barrier = mbarrier_at(address, "an expectation", line);
    note_atomic(shared_pointer(address, 8), 8, line);
    barrier.transactions += bytes;
}

void complete_transactions(Mbarrier& barrier, unsigned bytes) {
    barrier.transactions -= bytes;
    tell_of_agent(agent_of(barrier), barrier.gathering);
    flip_if_complete(barrier);
}

namespace {

// The phases that threads have been told of that they are not complete.
struct Told {
    std::uint32_t block, barrier, phase;
} told[first_warp];

}  // namespace

// The hardware gives up after some time; here it does so once for each phase, so that who does not ask again goes on.
bool wait_mbarrier(std::uint32_t address, unsigned parity, bool of_cluster, int line) {
    Mbarrier& barrier = mbarrier_at(address, "a wait", line);
    if (rank_of(barrier.address) != current_block())
        fail("cluster", "a wait in @line:%d@ for an mbarrier of another block, %s: a block waits for its own", line, place());
    if (parity > 1)
        fail("mbarrier", "a wait in @line:%d@ for a phase of parity %u, %s: a parity is 0 or 1", line, parity, place());
    note_atomic(shared_pointer(address, 8), 8, line);
    const Waiting waiting = {int(&barrier - barriers), parity, line};
    if (!has_completed(waiting)) {
        const Told now = {epochs.block_ordinal, std::uint32_t(waiting.barrier), barrier.phase};
        Told& last = told[current_thread()];
        const bool is_first = last.block != now.block || last.barrier != now.barrier || last.phase != now.phase;
        last = now;
        if (is_first) return false;
        wait_in_fiber(waiting);
    }
    if (barrier.completed_remotely && !of_cluster)
        fail("cluster",
             "the wait in @line:%d@, %s, is for arrivals of another block, and acquires what its own block did: "
             "mbarrier.try_wait.parity.acquire.cluster is required",
             line, place());
    hear(current_thread(), barrier.complete);
    return true;
}

bool has_completed(const Waiting& waiting) { return (barriers[waiting.barrier].phase & 1) != waiting.parity; }

void describe_wait(const Waiting& waiting, char* words, std::size_t size) {
    const Mbarrier& barrier = barriers[waiting.barrier];
    char name[200];
    name_place(shared_pointer(barrier.address, 8), name, sizeof name);
    std::snprintf(words, size,
                  "waits in @line:%d@ for phase %u (parity %u) of the mbarrier %s, which misses %d of %d arrivals and %ld "
                  "bytes",
                  waiting.line, barrier.phase, waiting.parity, name, barrier.pending, barrier.expected,
                  barrier.transactions);
}

void fence_mbarriers() {
    for (int i = 0; i < barrier_count; ++i)
        if (barriers[i].thread == current_thread()) barriers[i].is_fenced = true;
}

void forget_mbarriers() { barrier_count = 0; }

}  // namespace vtac
