// What compiled kernel text asks of the runtime, which is compiled once and linked to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace vtac {

// True in the one lane of each warp that carries out the warp's matrix operations.
extern bool executes_for_warp;

enum class WarpOperation : unsigned { fill = 1, load, multiply, store };

// How an array is indexed, to tell where two threads met.
constexpr int max_rank = 12;
struct Shape {
    std::size_t element_bytes;
    int rank;
    std::size_t extents[max_rank];
};

// Waits until every thread of the block has come to the same line.
void block_barrier(int line);
// Waits until every lane of the warp has come here.
void warp_barrier(unsigned mask);
// Gives every lane of the warp what another one passes; waits until all have come to the same line. It orders no memory.
enum class Shuffle : unsigned { lane = 16, up, down, exclusive_or };
void shuffle(Shuffle kind, unsigned mask, const void* value, void* found, std::size_t bytes, int operand, int width,
             int line);
// Shows every lane of the warp what all pass, 64 bytes apart; waits until all have come to the same line. Valid until the
// exchange after the next. It orders no memory.
enum class Exchange : unsigned {
    load_1 = 32, load_2, load_4, transposed_1, transposed_2, transposed_4, multiply, product, fence, commit, wait,
    store_1, store_2, store_4, store_transposed_1, store_transposed_2, store_transposed_4
};
const unsigned char* exchange(Exchange kind, const void* value, std::size_t bytes, int line);
int current_lane();
// Addresses in shared memory as 32 bits, and back; fails for what lies elsewhere.
std::uint32_t shared_address(const void* pointer);
const unsigned char* shared_pointer(std::uint32_t address, std::size_t bytes);

// Notes a warp-wide operation: all lanes of a warp must do the same ones, with the same operands.
void note_warp_operation(WarpOperation operation, const void* address, unsigned pitch);

// Storage of the static shared array declared at `slot`, and of the launch's dynamic shared memory.
void* static_shared(int slot, std::size_t bytes, std::size_t alignment, const char* name, const Shape& shape);
void* dynamic_shared(const char* name, std::size_t alignment);

void copy_async(void* destination, const void* source, std::size_t bytes, std::size_t zero_fill, int line);
void commit_copies();
void wait_for_copies(std::size_t groups_in_flight);

// mbarriers, by their addresses in shared memory: PTX's mbarrier.init, mbarrier.arrive with the bytes that it expects,
// mbarrier.expect_tx, and a wait for the phase of a parity.
void init_mbarrier(std::uint32_t address, unsigned count, int line);
void arrive_mbarrier(std::uint32_t address, unsigned count, unsigned bytes, int line);
void expect_mbarrier(std::uint32_t address, unsigned bytes, int line);
bool wait_mbarrier(std::uint32_t address, unsigned parity, bool of_cluster, int line);
// cp.async.bulk.tensor of a box of a tensor to shared memory, and the fence between plain accesses and such copies.
// Of pixels, by a map for im2col, with an offset for each dimension of space. With a mask it goes to each block of the
// cluster whose bit is set, and completes the mbarrier at the same place there.
void load_box(const void* map, std::initializer_list<int> coordinates, std::initializer_list<int> offsets,
              std::uint32_t target, std::uint32_t barrier, const unsigned* mask, int line);
// The same the other way, and its groups: until at most so many of a thread's are under way, or only have to be written.
void store_box(const void* map, std::initializer_list<int> coordinates, std::uint32_t source, int line);
void commit_stores();
void wait_for_stores(int groups, bool only_reads);
void fence_proxies();
void fence_mbarriers();
// Clusters: mapa, the block's rank, barrier.cluster.arrive and .wait.
std::uint32_t map_address(std::uint32_t address, unsigned rank, int line);
unsigned cluster_rank();
void arrive_at_cluster(int line);
void wait_for_cluster(int line);
// elect.sync, and setmaxnreg.
bool is_elected();
void set_registers(unsigned count, bool more, int line);

// Enter accesses that no compiled-in call tells of, with the line of the text that makes them: lines of a tile,
// `pitch` bytes apart, by some lane of the warp; an atomic update by a thread.
void note_tile(const void* address, std::size_t bytes, std::size_t pitch, int count, bool writes, int line);
void note_atomic(const void* address, std::size_t bytes, int line);
// A read of shared memory by the async proxy, on behalf of some lane of the warp: what plain accesses wrote must be fenced.
void note_async_read(const void* address, std::size_t bytes, int line);

[[noreturn]] void fail(const char* kind, const char* format, ...) __attribute__((format(printf, 2, 3)));

struct Parameter {
    const char* dtype;  // "tensor map" of one that is passed by value
    bool is_constant;
};

struct Kernel {
    void (*invoke)(void* const* arguments);
    const Parameter* parameters;
    int count;
};

int run(int argc, char** argv, const Kernel& kernel);

}  // namespace vtac

#define __syncthreads() ::vtac::block_barrier(__LINE__)

namespace vtac {

template <class T>
T shuffled(Shuffle kind, unsigned mask, T value, int operand, int width, int line) {
    static_assert(sizeof(T) <= 8, "a shuffle passes values of at most 8 bytes");
    T found;
    shuffle(kind, mask, &value, &found, sizeof value, operand, width, line);
    return found;
}

}  // namespace vtac

#define VTAC_SHUFFLE(name, kind)                                                                         \
    template <class T>                                                                                   \
    T name(unsigned mask, T value, int operand, int width = 32, int line = __builtin_LINE()) {           \
        return ::vtac::shuffled(::vtac::Shuffle::kind, mask, value, operand, width, line);               \
    }
VTAC_SHUFFLE(__shfl_sync, lane)
VTAC_SHUFFLE(__shfl_up_sync, up)
VTAC_SHUFFLE(__shfl_down_sync, down)
VTAC_SHUFFLE(__shfl_xor_sync, exclusive_or)
#undef VTAC_SHUFFLE

// Four of the eight bytes of two registers, each by four bits of the selector; the highest of those spreads a sign.
inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
    const std::uint64_t both = std::uint64_t(high) << 32 | low;
    unsigned result = 0;
    for (int at = 0; at < 4; ++at) {
        const unsigned which = selector >> 4 * at & 15;
        unsigned char byte = static_cast<unsigned char>(both >> 8 * (which & 7));
        if (which & 8) byte = byte & 0x80 ? 0xff : 0;
        result |= unsigned(byte) << 8 * at;
    }
    return result;
}
inline std::size_t __cvta_generic_to_global(const void* pointer) { return reinterpret_cast<std::size_t>(pointer); }
inline std::size_t __cvta_generic_to_shared(const void* pointer) { return ::vtac::shared_address(pointer); }

inline void __syncwarp(unsigned mask = 0xffffffffu) { ::vtac::warp_barrier(mask); }
