// What the lanes of a warp do together: barriers, shuffles, matrix operations.
#include <cstring>

#include "fibers.h"

namespace vtac {

namespace {

// What lanes pass each other. One that has read its own may pass the next before others have read: so two in turns.
constexpr int most_bytes = 64;
unsigned char passed[2][first_warp][most_bytes];

const char* what_holds(const Fiber& fiber) {
    switch (fiber.state) {
        case State::done: return "has returned";
        case State::at_shuffle:
            return fiber.shuffles_matrices ? "waits at ldmatrix or mma.sync in line" : "waits at a shuffle in line";
        case State::at_mbarrier: return "waits for an mbarrier in line";
        case State::at_cluster_barrier: return "waits at barrier.cluster in line";
        case State::at_block_barrier: return "waits at __syncthreads() in line";
        default: return "waits at __syncwarp()";
    }
}

int line_of(const Fiber& fiber) {
    return fiber.state == State::done || fiber.state == State::at_warp_barrier ? 0 : fiber.line;
}

}  // namespace

int lanes_of(int first) { return thread_count - first < lanes_per_warp ? thread_count - first : lanes_per_warp; }

void compare_histories(int first, int lanes) {
    for (int i = first + 1; i < first + lanes; ++i) {
        if (fibers[i].history == fibers[first].history) continue;
        const uint3 a = fibers[first].index, b = fibers[i].index;
        fail("warp-divergence",
             "the lanes of a warp did different warp-wide operations (%u by thread (%u, %u, %u), %u by thread "
             "(%u, %u, %u), or with other addresses or in other lines) in block (%u, %u, %u): all 32 must do the same",
             fibers[first].operations, a.x, a.y, a.z, fibers[i].operations, b.x, b.y, b.z, blockIdx.x, blockIdx.y,
             blockIdx.z);
    }
}

void report_divergence(int first, int second) {
    const Fiber &a = fibers[first], &b = fibers[second];
    fail("divergence",
         "not all threads of block (%u, %u, %u) come to the same barrier: thread (%u, %u, %u) %s %d, thread (%u, %u, "
         "%u) %s %d (0 where no line applies)",
         blockIdx.x, blockIdx.y, blockIdx.z, a.index.x, a.index.y, a.index.z, what_holds(a),
         line_of(a), b.index.x, b.index.y, b.index.z, what_holds(b), line_of(b));
}

// Lets warps of some threads go on whose lanes have all come to a warp barrier; says whether there was one.
bool release_warps(int begin, int end) {
    bool released = false;
    for (int first = begin; first < end; first += lanes_per_warp) {
        const int lanes = lanes_of(first);
        int waiting = 0, shuffling = 0;
        for (int i = first; i < first + lanes; ++i) {
            waiting += fibers[i].state == State::at_warp_barrier;
            shuffling += fibers[i].state == State::at_shuffle;
        }
        if (waiting + shuffling < lanes) continue;
        look_at_block(block_of_thread(first));
        compare_histories(first, lanes);
        for (int i = first; i < first + lanes; ++i) {
            if (waiting && shuffling && fibers[i].state != fibers[first].state)
                report_divergence(first, i);
        }
        for (int i = first; i < first + lanes; ++i) fibers[i].state = State::ready;
        if (!shuffling) pass_warp_barrier(first / lanes_per_warp);
        released = true;
    }
    return released;
}

void warp_barrier(unsigned mask) {
    const int lanes = lanes_of(running / lanes_per_warp * lanes_per_warp);
    if (lanes == lanes_per_warp && mask != 0xffffffffu)
        fail("warp-divergence", "__syncwarp with mask 0x%08x, %s: only the full warp is supported", mask, place());
    fibers[running].state = State::at_warp_barrier;
    leave_fiber();
}

void remember(Fiber& fiber, std::initializer_list<std::uint64_t> parts) {
    ++fiber.operations;
    for (const std::uint64_t part : parts) fiber.history = (fiber.history ^ part) * 0x100000001b3ull + 0x9e3779b9ull;
}

namespace {

// The lane that a lane reads: its own where the one meant lies outside of its group.
int source_lane(Shuffle kind, int lane, int operand, int width) {
    const int group = lane & ~(width - 1);
    if (kind == Shuffle::lane) return group + (operand & (width - 1));
    const int source = kind == Shuffle::up     ? lane - operand
                       : kind == Shuffle::down ? lane + operand
                                               : lane ^ operand;
    return source < (kind == Shuffle::up ? group : 0) || source >= group + width ? lane : source;
}

}  // namespace

void shuffle(Shuffle kind, unsigned mask, const void* value, void* found, std::size_t bytes, int operand, int width,
             int line) {
    const int first = running / lanes_per_warp * lanes_per_warp, lanes = lanes_of(first), lane = running - first;
    if (lanes == lanes_per_warp && mask != 0xffffffffu)
        fail("warp-divergence", "a shuffle with mask 0x%08x, %s: only the full warp is supported", mask, place());
    if (width < 1 || width > lanes_per_warp || (width & (width - 1)))
        fail("warp-divergence", "a shuffle among %d lanes, %s: 1, 2, 4, 8, 16 or 32 are possible", width, place());
    const int source = source_lane(kind, lane, operand, width);
    if (source >= lanes)
        fail("warp-divergence", "a shuffle from lane %d of a warp of %d threads, %s", source, lanes, place());
    const unsigned turn = fibers[running].shuffles++ % 2;
    std::memcpy(passed[turn][running], value, bytes);
    remember(fibers[running], {std::uint64_t(kind), std::uint64_t(line), bytes});
    fibers[running].state = State::at_shuffle;
    fibers[running].shuffles_matrices = false;
    fibers[running].line = line;
    leave_fiber();
    std::memcpy(found, passed[turn][first + source], bytes);
}

const unsigned char* exchange(Exchange kind, const void* value, std::size_t bytes, int line) {
    const int first = running / lanes_per_warp * lanes_per_warp;
    if (lanes_of(first) != lanes_per_warp)
        fail("warp-divergence", "a matrix operation in a warp of fewer than 32 threads, %s: blocks must be whole warps",
             place());
    const unsigned turn = fibers[running].shuffles++ % 2;
    std::memcpy(passed[turn][running], value, bytes);
    remember(fibers[running], {std::uint64_t(kind), std::uint64_t(line), bytes});
    fibers[running].state = State::at_shuffle;
    fibers[running].shuffles_matrices = true;
    fibers[running].line = line;
    leave_fiber();
    return passed[turn][first];
}

bool is_elected() {
    warp_barrier(0xffffffffu);
    return fibers[running].executes_for_warp;
}

void set_registers(unsigned count, bool more, int line) {
    if (count < 24 || count > 256 || count % 8)
        fail("registers", "setmaxnreg of %u registers in @line:%d@, %s: a multiple of 8 from 24 to 256 is required", count,
             line, place());
    remember(fibers[running], {std::uint64_t(count), std::uint64_t(more), std::uint64_t(line)});
}

int current_lane() { return running % lanes_per_warp; }

void note_warp_operation(WarpOperation operation, const void* address, unsigned pitch) {
    Fiber& fiber = fibers[running];
    if (lanes_of(running / lanes_per_warp * lanes_per_warp) != lanes_per_warp)
        fail("warp-divergence", "a matrix operation in a warp of fewer than 32 threads, %s: blocks must be whole warps",
             place());
    remember(fiber, {std::uint64_t(operation), std::uint64_t(reinterpret_cast<std::uintptr_t>(address)),
                     std::uint64_t(pitch)});
}

}  // namespace vtac
