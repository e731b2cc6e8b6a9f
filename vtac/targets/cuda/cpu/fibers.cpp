// The threads of a block as fibers: they change at barriers only, in an order that the launch chooses.
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "matrices.h"
#include "mbarriers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace vtac {

bool executes_for_warp = false;

namespace {

constexpr int max_threads = 1024;
constexpr std::size_t stack_bytes = 256 * 1024;

enum class State { ready, at_block_barrier, at_warp_barrier, at_shuffle, at_mbarrier, done };

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

// What lanes pass each other. One that has read its own may pass the next before others have read: so two in turns.
constexpr int most_bytes = 64;
unsigned char passed[2][max_threads][most_bytes];

Fiber fibers[max_threads];
jmp_buf scheduler;
int thread_count = 0, running = -1;
const Launch* current = nullptr;
std::uint64_t random_state = 0;
std::uintptr_t stacks_begin = 0;
std::size_t stacks_bytes = 0;

std::uint64_t next_random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// A fiber outlives its block: it waits in the scheduler and runs the kernel again for the next one.
__attribute__((noinline)) void leave_fiber() {
    settle_writes();
    if (!_setjmp(fibers[running].context)) _longjmp(scheduler, 1);
}

void fiber_main() {
    for (;;) {
        current->kernel->invoke(current->arguments);
        fibers[running].state = State::done;
        leave_fiber();
    }
}

__attribute__((noinline)) void enter_fiber(int thread) {
    Fiber& fiber = fibers[thread];
    running = thread;
    threadIdx = fiber.index;
    executes_for_warp = fiber.executes_for_warp;
    if (!_setjmp(scheduler)) {
        if (fiber.started) _longjmp(fiber.context, 1);
        fiber.started = true;
        setcontext(&fiber.first_context);
    }
    running = -1;
}

// The order in which `count` threads or warps take turns.
void choose_sequence(int* sequence, int count) {
    for (int i = 0; i < count; ++i) sequence[i] = current->order % 2 ? count - 1 - i : i;
    if (current->order < 4) return;
    for (int i = count - 1; i > 0; --i) {
        const int other = int(next_random() % std::uint64_t(i + 1)), kept = sequence[i];
        sequence[i] = sequence[other];
        sequence[other] = kept;
    }
}

int lane_that_executes(int warp, int lanes) {
    if (current->order < 4) return current->order % 2 ? lanes - 1 : 0;
    return int((current->seed + 7 * current->order + 13 * std::uint64_t(warp)) % std::uint64_t(lanes));
}

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

int lanes_of(int first) { return thread_count - first < lanes_per_warp ? thread_count - first : lanes_per_warp; }

const char* what_holds(const Fiber& fiber) {
    if (fiber.state == State::done) return "has returned";
    if (fiber.state == State::at_shuffle)
        return fiber.shuffles_matrices ? "waits at ldmatrix or mma.sync in line" : "waits at a shuffle in line";
    if (fiber.state == State::at_mbarrier) return "waits for an mbarrier in line";
    return fiber.state == State::at_block_barrier ? "waits at __syncthreads() in line" : "waits at __syncwarp()";
}

int line_of(const Fiber& fiber) {
    const bool has_line = fiber.state == State::at_block_barrier || fiber.state == State::at_shuffle ||
                          fiber.state == State::at_mbarrier;
    return has_line ? fiber.line : 0;
}

void report_divergence(const Fiber& a, const Fiber& b) {
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
        compare_histories(first, lanes);
        for (int i = first; i < first + lanes; ++i) {
            if (waiting && shuffling && fibers[i].state != fibers[first].state)
                report_divergence(fibers[first], fibers[i]);
        }
        for (int i = first; i < first + lanes; ++i) fibers[i].state = State::ready;
        if (!shuffling) pass_warp_barrier(first / lanes_per_warp);
        released = true;
    }
    return released;
}

// Runs threads as far as the next block barrier, together from each warp barrier to the next.
void run_together(int begin, int end) {
    int sequence[max_threads];
    do {
        choose_sequence(sequence, end - begin);
        for (int i = 0; i < end - begin; ++i)
            if (fibers[begin + sequence[i]].state == State::ready) enter_fiber(begin + sequence[i]);
    } while (release_warps(begin, end));
}

// Runs every thread as far as it comes without another's arrival at an mbarrier.
void run_in_order() {
    const bool in_lock_step = current->order < 4 ? current->order >= 2 : current->order % 2;
    if (in_lock_step) return run_together(0, thread_count);
    int sequence[max_threads / lanes_per_warp];
    const int warps = (thread_count + lanes_per_warp - 1) / lanes_per_warp;
    choose_sequence(sequence, warps);
    for (int i = 0; i < warps; ++i) {
        const int first = sequence[i] * lanes_per_warp;
        run_together(first, first + lanes_of(first));
    }
}

// Lets fibers go on whose mbarrier's phase is complete; says how many wait on, and whether one goes on.
int wake(bool& goes_on) {
    int waiting = 0;
    for (int i = 0; i < thread_count; ++i) {
        if (fibers[i].state != State::at_mbarrier) continue;
        if (!has_completed(fibers[i].waiting)) {
            ++waiting;
            continue;
        }
        fibers[i].state = State::ready;
        goes_on = true;
    }
    return waiting;
}

[[noreturn]] void report_deadlock(int waiting) {
    char words[700] = "";
    int told = 0;
    std::size_t length = 0;
    for (int i = 0; i < thread_count && told < 3; ++i) {
        const Fiber& fiber = fibers[i];
        if (fiber.state != State::at_mbarrier) continue;
        bool is_known = false;
        for (int k = 0; k < i; ++k)
            is_known |= fibers[k].state == State::at_mbarrier && fibers[k].waiting.barrier == fiber.waiting.barrier &&
                        fibers[k].line == fiber.line;
        if (is_known) continue;
        char wait[300];
        describe_wait(fiber.waiting, wait, sizeof wait);
        length += std::snprintf(words + length, sizeof words - length, "%sthread (%u, %u, %u) %s", told ? "; " : "",
                                fiber.index.x, fiber.index.y, fiber.index.z, wait);
        ++told;
    }
    fail("deadlock", "%d threads of block (%u, %u, %u) wait for mbarriers, and nothing is left that could arrive: %s",
         waiting, blockIdx.x, blockIdx.y, blockIdx.z, words);
}

void run_to_block_barrier() {
    for (;;) {
        run_in_order();
        bool goes_on = false;
        const int waiting = wake(goes_on);
        if (goes_on) continue;
        if (!waiting) return;
        if (!land_transfer()) {
            tell_races(false);
            report_deadlock(waiting);
        }
        wake(goes_on);
    }
}

// Every fiber has stopped: the same way, or the kernel diverges.
bool all_done() {
    for (int i = 1; i < thread_count; ++i) {
        const Fiber &a = fibers[0], &b = fibers[i];
        if (a.state != b.state || (a.state == State::at_block_barrier && a.line != b.line)) report_divergence(a, b);
    }
    if (fibers[0].state == State::at_warp_barrier) return false;
    for (int first = 0; first < thread_count; first += lanes_per_warp) compare_histories(first, lanes_of(first));
    return fibers[0].state == State::done;
}

}  // namespace

bool is_on_a_stack(std::uintptr_t address) { return address - stacks_begin < stacks_bytes; }

int current_thread() { return running; }

uint3 index_of_thread(int thread) { return fibers[thread].index; }

void start_fibers(const Launch& launch) {
    current = &launch;
    gridDim = launch.grid;
    blockDim = launch.block;
    thread_count = int(launch.block.x * launch.block.y * launch.block.z);
    random_state = 0x9e3779b97f4a7c15ull ^ (launch.seed * 0xbf58476d1ce4e5b9ull + launch.order);
    const std::size_t page = sysconf(_SC_PAGESIZE), pitch = stack_bytes + page, total = pitch * thread_count;
    void* memory = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("memory", "cannot allocate the stacks of %d threads", thread_count);
    auto* stacks = static_cast<unsigned char*>(memory);
    stacks_begin = reinterpret_cast<std::uintptr_t>(memory), stacks_bytes = total;
    *new_region() = {Region::stacks, "stacks", stacks, total, stacks, total, stacks, total};
    for (int i = 0; i < thread_count; ++i) {
        Fiber& fiber = fibers[i];
        fiber.started = false;
        fiber.index = {i % launch.block.x, i / launch.block.x % launch.block.y, i / launch.block.x / launch.block.y};
        const int warp = i / lanes_per_warp, lane = i % lanes_per_warp;
        fiber.executes_for_warp = lane == lane_that_executes(warp, lanes_of(warp * lanes_per_warp));
        mprotect(stacks + i * pitch, page, PROT_NONE);
        getcontext(&fiber.first_context);
        fiber.first_context.uc_stack.ss_sp = stacks + i * pitch + page;
        fiber.first_context.uc_stack.ss_size = stack_bytes;
        fiber.first_context.uc_link = nullptr;
        makecontext(&fiber.first_context, fiber_main, 0);
    }
}

uint3 index_of_block(unsigned long number) {
    return {unsigned(number % gridDim.x), unsigned(number / gridDim.x % gridDim.y),
            unsigned(number / gridDim.x / gridDim.y)};
}

void run_block(unsigned long block, std::uint32_t ordinal) {
    blockIdx = index_of_block(block);
    poison_shared();
    forget_copies();
    forget_mbarriers();
    forget_products();
    start_epochs(ordinal);
    for (int i = 0; i < thread_count; ++i) {
        fibers[i].history = fibers[i].operations = fibers[i].shuffles = 0;
        fibers[i].state = State::ready;
    }
    for (bool is_done = false; !is_done;) {
        for (int i = 0; i < thread_count; ++i)
            if (fibers[i].state == State::at_block_barrier) fibers[i].state = State::ready;
        run_to_block_barrier();
        pass_block_barrier();
        is_done = all_done();
        tell_races(is_done);
    }
    forget_transfers();
    check_products();
    check_slack();
}

void block_barrier(int line) {
    fibers[running].state = State::at_block_barrier;
    fibers[running].line = line;
    leave_fiber();
}

void wait_in_fiber(const Waiting& waiting) {
    fibers[running].state = State::at_mbarrier;
    fibers[running].waiting = waiting;
    fibers[running].line = waiting.line;
    leave_fiber();
}

Arrival arrival_of_transfers() {
    if (current->order % 4 == 2) return Arrival::at_once;
    return current->order % 2 ? Arrival::first_first : Arrival::last_first;
}

void warp_barrier(unsigned mask) {
    const int lanes = lanes_of(running / lanes_per_warp * lanes_per_warp);
    if (lanes == lanes_per_warp && mask != 0xffffffffu)
        fail("warp-divergence", "__syncwarp with mask 0x%08x, %s: only the full warp is supported", mask, place());
    fibers[running].state = State::at_warp_barrier;
    leave_fiber();
}

namespace {

void remember(Fiber& fiber, std::initializer_list<std::uint64_t> parts) {
    ++fiber.operations;
    for (const std::uint64_t part : parts) fiber.history = (fiber.history ^ part) * 0x100000001b3ull + 0x9e3779b9ull;
}

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
