// Clusters: ranks, addresses of other blocks' shared memory, and the barrier of all their threads.
#include "clusters.h"

#include <cstdio>
#include <cstring>

#include "fibers.h"
#include "shadow.h"

namespace vtac {

Cluster cluster = {1, 1, {}, 0, {}, {}};

namespace {

// The barrier of the cluster: threads arrive, and wait later on for all others to have arrived.
struct Meeting {
    int arrived;
    std::uint32_t phase;  // meetings that are complete
    Clock gathering, complete;
} meeting;

struct Attendance {
    bool has_arrived;
    std::uint32_t phase;
    int line;
} attendances[first_warp];

// When each thread last touched the memory of another block, by that block's rank.
std::uint32_t touches[most_cluster][first_warp];
int touch_lines[most_cluster][first_warp];

}  // namespace

void start_cluster(const Launch& launch) {
    cluster.size = launch.cluster;
    cluster.threads = int(launch.block.x * launch.block.y * launch.block.z);
    if (cluster.size > 1 && cluster.threads % lanes_per_warp)
        fail("limit", "a cluster of blocks of %d threads: only blocks of whole warps run as clusters", cluster.threads);
    if (cluster.size > most_cluster || cluster.size * cluster.threads > first_warp)
        fail("limit", "a cluster of %d blocks of %d threads: at most %d blocks and %d threads run at once", cluster.size,
             cluster.threads, most_cluster, first_warp);
}

void start_blocks(const unsigned long* blocks, std::uint32_t ordinal) {
    std::memcpy(cluster.blocks, blocks, cluster.size * sizeof *blocks);
    std::memset(cluster.has_started, 0, sizeof cluster.has_started);
    std::memset(cluster.has_ended, 0, sizeof cluster.has_ended);
    cluster.ordinal = ordinal;
    std::memset(attendances, 0, sizeof attendances);
    if (cluster.size > 1) std::memset(touches, 0, sizeof touches);
    meeting.arrived = 0;
    meeting.phase = 0;
    look_at_block(0);
}

void look_at_block(int rank) {
    blockIdx = index_of_block(cluster.blocks[rank]);
    epochs.block_ordinal = cluster.ordinal + rank;
}

int block_of_thread(int thread) { return thread / cluster.threads; }

int current_block() { return running < 0 ? 0 : block_of_thread(running); }

std::uint32_t in_cluster(std::uint32_t address) {
    return address >> rank_shift ? address : with_rank(address, current_block());
}

std::uint32_t map_address(std::uint32_t address, unsigned rank, int line) {
    if (rank >= unsigned(cluster.size))
        fail("cluster", "mapa to rank %u in @line:%d@, %s: the cluster has %d blocks", rank, line, place(), cluster.size);
    return with_rank(address, int(rank));
}

unsigned cluster_rank() { return unsigned(current_block()); }

void touch_remotely(int rank, const char* what, int line) {
    if (rank == current_block()) return;
    const uint3 other = index_of_block(cluster.blocks[rank]);
    if (cluster.has_ended[rank])
        fail("cluster",
             "%s in @line:%d@ at shared memory of block (%u, %u, %u), %s: that block has ended; a barrier.cluster has to keep "
             "it until all others are done with its memory",
             what, line, other.x, other.y, other.z, place());
    if (!cluster.has_started[rank])
        fail("cluster",
             "%s in @line:%d@ at shared memory of block (%u, %u, %u), %s: that block has not begun; a barrier.cluster has to "
             "come before",
             what, line, other.x, other.y, other.z, place());
    touches[rank][running] = next_epoch();
    touch_lines[rank][running] = line;
    own_times[running] = touches[rank][running];
}

void end_block(int rank) {
    cluster.has_ended[rank] = true;
    look_at_block(rank);
    for (int other = 0; other < thread_count; ++other) {
        if (!touches[rank][other]) continue;
        bool is_known = false;
        for (int own = rank * cluster.threads; own < (rank + 1) * cluster.threads && !is_known; ++own)
            is_known = knows(own, other, touches[rank][other]);
        if (is_known) continue;
        const uint3 index = fibers[other].index, block = index_of_block(cluster.blocks[block_of_thread(other)]);
        fail("cluster",
             "block (%u, %u, %u) ends, and nothing tells it that thread (%u, %u, %u) of block (%u, %u, %u) is done with its "
             "shared memory in @line:%d@: a barrier.cluster has to come before the end",
             blockIdx.x, blockIdx.y, blockIdx.z, index.x, index.y, index.z, block.x, block.y, block.z,
             touch_lines[rank][other]);
    }
}

void arrive_at_cluster(int line) {
    Attendance& own = attendances[running];
    if (own.has_arrived)
        fail("cluster", "barrier.cluster.arrive in @line:%d@, %s: the thread has arrived in line %d, and not waited since",
             line, place(), own.line);
    own = {true, meeting.phase, line};
    tell(running, meeting.gathering);
    if (++meeting.arrived < thread_count) return;
    meeting.arrived = 0;
    ++meeting.phase;
    meeting.complete = meeting.gathering;
}

void wait_for_cluster(int line) {
    Attendance& own = attendances[running];
    if (!own.has_arrived)
        fail("cluster", "barrier.cluster.wait in @line:%d@, %s: the thread has not arrived before", line, place());
    if (!has_met_cluster(running)) {
        fibers[running].state = State::at_cluster_barrier;
        fibers[running].line = line;
        leave_fiber();
    }
    own.has_arrived = false;
    hear(running, meeting.complete);
}

bool has_met_cluster(int thread) { return meeting.phase != attendances[thread].phase; }

void describe_meeting(int thread, char* words, std::size_t size) {
    std::snprintf(words, size, "waits in @line:%d@ for the cluster, of which %d of %d threads have arrived",
                  fibers[thread].line, meeting.arrived, thread_count);
}

}  // namespace vtac
