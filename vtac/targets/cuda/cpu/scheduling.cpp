// Runs the blocks of a cluster: each thread as far as it comes, each block from one of its barriers to the next.
#include <cstdio>

#include "fibers.h"
#include "matrices.h"

namespace vtac {

namespace {

// Runs threads as far as they come without others, together from each warp barrier to the next.
void run_together(int begin, int end) {
    static int sequence[first_warp];
    do {
        choose_sequence(sequence, end - begin);
        for (int i = 0; i < end - begin; ++i)
            if (fibers[begin + sequence[i]].state == State::ready) enter_fiber(begin + sequence[i]);
    } while (release_warps(begin, end));
}

// Runs every thread as far as it comes without another's arrival at an mbarrier or a cluster's barrier.
void run_in_order() {
    const bool in_lock_step = current->order < 4 ? current->order >= 2 : current->order % 2;
    if (in_lock_step) return run_together(0, thread_count);
    int sequence[most_warps];
    const int warps = (thread_count + lanes_per_warp - 1) / lanes_per_warp;
    choose_sequence(sequence, warps);
    for (int i = 0; i < warps; ++i) {
        const int first = sequence[i] * lanes_per_warp;
        run_together(first, first + lanes_of(first));
    }
}

bool waits(const Fiber& fiber) { return fiber.state == State::at_mbarrier || fiber.state == State::at_cluster_barrier; }

// Lets fibers go on that have nothing to wait for any more; says whether there is one.
bool wake() {
    bool goes_on = false;
    for (int i = 0; i < thread_count; ++i) {
        const bool is_over = fibers[i].state == State::at_mbarrier          ? has_completed(fibers[i].waiting)
                             : fibers[i].state == State::at_cluster_barrier ? has_met_cluster(i)
                                                                            : false;
        if (!is_over) continue;
        fibers[i].state = State::ready;
        goes_on = true;
    }
    return goes_on;
}

bool waits_for_the_same(int a, int b) {
    const Fiber &one = fibers[a], &other = fibers[b];
    return one.state == other.state && one.line == other.line &&
           (one.state == State::at_cluster_barrier || one.waiting.barrier == other.waiting.barrier);
}

[[noreturn]] void report_deadlock() {
    char words[1400] = "";
    int told = 0, waiting = 0, others = 0, first = -1;
    std::size_t length = 0;
    for (int i = 0; i < thread_count; ++i) {
        if (!waits(fibers[i])) continue;
        if (first < 0) first = i;
        ++waiting;
        others += block_of_thread(i) != block_of_thread(first);
        bool is_known = told == 4;
        for (int k = 0; k < i && !is_known; ++k) is_known = waits(fibers[k]) && waits_for_the_same(i, k);
        if (is_known) continue;
        char wait[300], of_block[60] = "";
        fibers[i].state == State::at_mbarrier ? describe_wait(fibers[i].waiting, wait, sizeof wait)
                                              : describe_meeting(i, wait, sizeof wait);
        const uint3 index = fibers[i].index, block = index_of_block(cluster.blocks[block_of_thread(i)]);
        if (cluster.size > 1) std::snprintf(of_block, sizeof of_block, " of block (%u, %u, %u)", block.x, block.y, block.z);
        length += std::snprintf(words + length, sizeof words - length, "%sthread (%u, %u, %u)%s %s", told ? "; " : "",
                                index.x, index.y, index.z, of_block, wait);
        ++told;
    }
    look_at_block(block_of_thread(first));
    fail("deadlock", "%d threads of block (%u, %u, %u)%s wait for mbarriers%s, and nothing is left that could arrive: %s",
         waiting, blockIdx.x, blockIdx.y, blockIdx.z, others ? " and of others of its cluster" : "",
         cluster.size > 1 ? " or their cluster" : "", words);
}

// Every fiber of a block has stopped: the same way, or the kernel diverges.
void check_alike(int first) {
    for (int i = first + 1; i < first + cluster.threads; ++i) {
        const Fiber &a = fibers[first], &b = fibers[i];
        if (a.state != b.state || (a.state == State::at_block_barrier && a.line != b.line)) report_divergence(first, i);
    }
    for (int warp = first; warp < first + cluster.threads; warp += lanes_per_warp) compare_histories(warp, lanes_of(warp));
}

// Lets a block pass the barrier that its threads have come to, or end; says whether it goes on.
bool pass(int rank) {
    const int first = rank * cluster.threads, end = first + cluster.threads;
    if (cluster.has_ended[rank]) return false;
    for (int i = first; i < end; ++i)
        if (waits(fibers[i]) || fibers[i].state == State::ready) return false;
    look_at_block(rank);
    pass_block_barrier(rank);
    check_alike(first);
    const bool is_done = fibers[first].state == State::done;
    for (int i = first; i < end && !is_done; ++i) fibers[i].state = State::ready;
    tell_races(is_done && cluster.size == 1);
    if (is_done) {
        end_block(rank);
        check_transfers(rank);
    }
    return !is_done;
}

}  // namespace

void run_blocks_at_once(const unsigned long* blocks, std::uint32_t ordinal) {
    start_blocks(blocks, ordinal);
    poison_shared();
    forget_copies();
    forget_mbarriers();
    forget_products();
    start_epochs();
    for (int i = 0; i < thread_count; ++i) {
        fibers[i].history = fibers[i].operations = fibers[i].shuffles = 0;
        fibers[i].state = State::ready;
    }
    for (;;) {
        run_in_order();
        bool goes_on = wake(), waits_on = false;
        for (int rank = 0; rank < cluster.size; ++rank) goes_on |= pass(rank);
        for (int i = 0; i < thread_count; ++i) waits_on |= waits(fibers[i]);
        if (goes_on) continue;
        if (!waits_on) break;
        if (!land_transfer()) {
            tell_races(false);
            report_deadlock();
        }
        wake();
    }
    tell_races(true);
    check_products();
    check_slack();
}

}  // namespace vtac
