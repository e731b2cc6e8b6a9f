// mbarriers of shared memory, and the copies that complete their transactions.
#pragma once

#include "events.h"

namespace vtac {

constexpr int most_mbarriers = 256, authors = first_agent + most_mbarriers;

// What a barrier passes on: before which epoch accesses are known, by their author.
struct Clock {
    std::uint32_t known[authors];
    std::uint32_t lanes[most_warps];  // of a warp's accesses: which lanes have arrived
};

void tell(int thread, Clock& clock);
void tell_of_agent(int agent, Clock& clock);
void hear(int thread, const Clock& clock);

struct Mbarrier {
    std::uint32_t address;
    int expected, pending;    // arrivals of a phase, and those that are still missing
    long transactions;        // bytes that are still expected
    std::uint32_t phase;      // phases that are complete
    int line, thread;         // of the initialisation
    bool is_fenced;           // its initialisation is visible to the async proxy
    int issuer;               // of the latest bulk copy on its behalf
    bool gathers_remotely, completed_remotely;  // whether threads of another block arrive, or have arrived, for a phase
    Clock gathering, complete;
};

// The barrier at an address of shared memory; fails where there is none, naming what was to be done with it.
Mbarrier& mbarrier_at(std::uint32_t address, const char* what, int line);
int agent_of(const Mbarrier& barrier);
int mbarriers_in_use();
void complete_transactions(Mbarrier& barrier, unsigned bytes);
void forget_mbarriers();

// Fibers that wait for a phase.
struct Waiting {
    int barrier;  // its number; -1 where none
    unsigned parity;
    int line;
};
bool has_completed(const Waiting& waiting);
// What a waiting thread lacks, in words.
void describe_wait(const Waiting& waiting, char* words, std::size_t size);
// Suspends the running fiber until a barrier's phase of a parity is complete.
void wait_in_fiber(const Waiting& waiting);

// Lets a bulk copy arrive that is under way; says whether there was one.
bool land_transfer();
// Fails for copies under way to a block that ends, or on behalf of it.
void check_transfers(int rank);
// Whether the launch's order of threads has bulk copies arrive at once (else as late as possible), and which of them.
enum class Arrival { at_once, last_first, first_first };
Arrival arrival_of_transfers();

}  // namespace vtac
