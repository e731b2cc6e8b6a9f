// The threads of the blocks that run at once, as fibers: what the parts of the scheduler share.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <initializer_list>

#include "clusters.h"
#include "mbarriers.h"

namespace vtac {

enum class State { ready, at_block_barrier, at_warp_barrier, at_shuffle, at_mbarrier, at_cluster_barrier, done };

struct Fiber {
    jmp_buf context;
    ucontext_t first_context;
    State state;
    int line;
    bool started, executes_for_warp, shuffles_matrices;
    std::uint64_t history;  // of warp-wide operations, as a hash
    unsigned operations, shuffles;
    uint3 index;
    Waiting waiting;
};

// Those of a cluster's first block come first; all blocks have as many.
extern Fiber fibers[first_warp];
extern int thread_count, running;
extern const Launch* current;

void enter_fiber(int thread);
void leave_fiber();
// The order in which `count` threads or warps take turns.
void choose_sequence(int* sequence, int count);

int lanes_of(int first);
void remember(Fiber& fiber, std::initializer_list<std::uint64_t> parts);
// Lanes of a warp have done the same warp-wide operations, or the kernel diverges.
void compare_histories(int first, int lanes);
// Lets warps of some threads go on whose lanes have all come to a warp barrier; says whether there was one.
bool release_warps(int begin, int end);
[[noreturn]] void report_divergence(int a, int b);

}  // namespace vtac
