// The blocks that run at once: those of one cluster, or a single one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "include/vtac_runtime.h"

namespace vtac {

constexpr int most_cluster = 8;

struct Launch;

struct Cluster {
    int size;     // blocks
    int threads;  // of each block
    unsigned long blocks[most_cluster];  // their numbers in the grid, by rank
    std::uint32_t ordinal;               // of the first one in the job
    bool has_started[most_cluster], has_ended[most_cluster];
};
extern Cluster cluster;

void start_cluster(const Launch& launch);
void start_blocks(const unsigned long* blocks, std::uint32_t ordinal);
// Lets blockIdx, and what is told of faults, be those of a block, by its rank.
void look_at_block(int rank);
int current_block();
int block_of_thread(int thread);

// Addresses of shared memory name a block of the cluster in their upper bits, or none: that of the running thread.
constexpr int rank_shift = 24;
std::uint32_t in_cluster(std::uint32_t address);
inline int rank_of(std::uint32_t address) { return int(address >> rank_shift) - 1; }
inline std::uint32_t with_rank(std::uint32_t address, int rank) {
    return (address & ((1u << rank_shift) - 1)) | std::uint32_t(rank + 1) << rank_shift;
}

// A thread touches another block's memory: it must run, and has to know of it before it ends.
void touch_remotely(int rank, const char* what, int line);
// A block's threads have all returned.
void end_block(int rank);

// Threads that wait for the cluster's others.
bool has_met_cluster(int thread);
void describe_meeting(int thread, char* words, std::size_t size);

}  // namespace vtac
