// The threads of blocks as fibers: they change at barriers only, in an order that the launch chooses.
#include "fibers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace vtac {

bool executes_for_warp = false;

constexpr std::size_t stack_bytes = 256 * 1024;

Fiber fibers[first_warp];
int thread_count = 0, running = -1;
const Launch* current = nullptr;

namespace {

jmp_buf scheduler;
std::uint64_t random_state = 0;
std::uintptr_t stacks_begin = 0;
std::size_t stacks_bytes = 0;

std::uint64_t next_random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

}  // namespace

// A fiber outlives its block: it waits in the scheduler and runs the kernel again for the next one.
__attribute__((noinline)) void leave_fiber() {
    settle_writes();
    if (!_setjmp(fibers[running].context)) _longjmp(scheduler, 1);
}

namespace {

void fiber_main() {
    for (;;) {
        current->kernel->invoke(current->arguments);
        fibers[running].state = State::done;
        leave_fiber();
    }
}

}  // namespace

__attribute__((noinline)) void enter_fiber(int thread) {
    Fiber& fiber = fibers[thread];
    running = thread;
    threadIdx = fiber.index;
    look_at_block(block_of_thread(thread));
    cluster.has_started[block_of_thread(thread)] = true;
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

namespace {

int lane_that_executes(int warp, int lanes) {
    if (current->order < 4) return current->order % 2 ? lanes - 1 : 0;
    return int((current->seed + 7 * current->order + 13 * std::uint64_t(warp)) % std::uint64_t(lanes));
}

}  // namespace

bool is_on_a_stack(std::uintptr_t address) { return address - stacks_begin < stacks_bytes; }

int current_thread() { return running; }

uint3 index_of_thread(int thread) { return fibers[thread].index; }

void start_fibers(const Launch& launch) {
    current = &launch;
    gridDim = launch.grid;
    blockDim = launch.block;
    start_cluster(launch);
    thread_count = cluster.size * cluster.threads;
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
        const unsigned own = unsigned(i % cluster.threads);
        fiber.index = {own % launch.block.x, own / launch.block.x % launch.block.y, own / launch.block.x / launch.block.y};
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

}  // namespace vtac
