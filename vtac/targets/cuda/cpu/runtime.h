// The runtime's own parts: guarded memory, faults, fibers, copies in flight, and the job.
#pragma once

#include "include/vtac_runtime.h"

namespace vtac {

constexpr int lanes_per_warp = 32;

// A parameter or shared array between two spans of memory that fault when touched.
struct Region {
    enum Kind { input, output, static_shared, dynamic_shared, stacks };
    Kind kind;
    const char* name;
    unsigned char* data;
    std::size_t bytes;
    unsigned char* pages;  // the accessible pages; the slack between them and the data is poisoned
    std::size_t page_bytes;
    unsigned char* span;  // pages and guards together
    std::size_t span_bytes;
};

enum class Side { against_end, against_start };

// Where in its pages data lies: an access past the nearer end faults at once. `first` is its offset
// against the start: shared arrays are given the alignment that they declare, and no better one.
Region& allocate_guarded(Region::Kind kind, const char* name, std::size_t bytes, Side side, bool across_processes,
                         std::size_t alignment, std::size_t first);
constexpr std::size_t device_alignment = 256;  // that of device allocations
void make_read_only(const Region& region);
void poison(const Region& region, unsigned char pattern);
// Fails if the slack around a region has been written.
void check_slack();
const Region* find_region(const void* address);
bool is_shared(const Region& region);
Region* new_region();

void install_fault_handlers();
// Where the kernel is: "in block (0, 1, 0), thread (3, 0, 0)", or nothing outside of a block.
const char* place();

struct ThreadRecord {
    uint3 index;
    bool executes_for_warp;
};

// Scheduling of one block: order 0 ascends, 1 descends, later ones are drawn from the seed at each barrier.
struct Launch {
    dim3 grid, block;
    unsigned long dynamic_bytes, order, seed;
    const Kernel* kernel;
    void** arguments;
    Side side;
};

void start_fibers(const Launch& launch);
void run_block(unsigned long block);
int current_thread();  // -1 outside of the kernel
uint3 index_of_thread(int thread);

void start_copies(int threads);
void forget_copies();

void prepare_shared(const Launch& launch);
void poison_shared();

}  // namespace vtac
