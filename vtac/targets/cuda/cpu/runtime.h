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
    Shape shape;
    std::uint32_t window = 0;  // of shared arrays: where the array starts in the block's shared memory
    int block = 0;             // and the rank of that block
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
bool is_on_a_stack(std::uintptr_t address);

void install_fault_handlers();
// Workers tell one another which block failed, so that none runs blocks after it.
void share_failures();
bool has_failed_before(std::uint32_t ordinal);
// Where the kernel is: "in block (0, 1, 0), thread (3, 0, 0)", or nothing outside of a block.
const char* place();

struct ThreadRecord {
    uint3 index;
    bool executes_for_warp;
};

// Scheduling of one block. In orders 0 and 1 a warp runs on through its warp barriers as far as the next
// block barrier before the next warp starts, the first warp and lane first or the last; in orders 2 and 3 all
// warps go from one warp barrier to the next in lock step. Later ones do either (even: run on) in sequences
// drawn from the seed at each barrier.
struct Launch {
    dim3 grid, block;
    int cluster;  // blocks that run at once
    unsigned long dynamic_bytes, order, seed;
    bool finds_races;
    const Kernel* kernel;
    void** arguments;
    Side side;
};

void start_fibers(const Launch& launch);
// As many blocks as a cluster has; `ordinal` is the first one's number in the job, from 1.
void run_blocks_at_once(const unsigned long* blocks, std::uint32_t ordinal);
uint3 index_of_block(unsigned long number);
unsigned long block_number(std::uint32_t ordinal);
int current_thread();  // -1 outside of the kernel
uint3 index_of_thread(int thread);

constexpr int most_tensor_maps = 16, most_box_dimensions = 5;
// How boxes are cut out of an array, innermost dimension first; strides in bytes, of all dimensions but that. Of pixels
// (`space` is not 0) a box is box[0] channels of box[1] pixels, and corners bound the first tap's places in an image.
struct TensorMapRecord {
    char name[128];
    const unsigned char* base;
    unsigned element_bytes, swizzle;
    bool fills_with_nan;
    int rank, space;
    int lower[most_box_dimensions], upper[most_box_dimensions];
    unsigned long extents[most_box_dimensions], strides[most_box_dimensions];
    unsigned box[most_box_dimensions], element_strides[most_box_dimensions];
};
TensorMapRecord& tensor_map(int number);
// Makes the kernel's parameter of 128 bytes that stands for a map.
void tensor_map_parameter(int number, void* parameter);

void start_copies(int threads);
void forget_copies();

// Races: enters accesses of shared memory and outputs, and fails at two that nothing orders.
extern bool finds_races;
void shadow_region(const Region& region);
void start_epochs();
// Looks at the values that the running thread has written since it last told of an access.
void settle_writes();
void pass_block_barrier(int rank);
void pass_warp_barrier(int warp);
// Fails if races have been found since the block began; at the end of the block also those among lanes of one warp.
void tell_races(bool is_end_of_block);

void prepare_shared(const Launch& launch);
void poison_shared();

}  // namespace vtac
