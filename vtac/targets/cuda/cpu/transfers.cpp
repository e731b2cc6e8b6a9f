// Bulk copies of boxes of tensors: under way until the launch's order lets them arrive, their destination poisoned.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "clusters.h"
#include "shadow.h"
#include "transfers.h"

namespace vtac {

namespace {

constexpr int most_transfers = 256 * most_cluster;  // a copy by multicast is one for each block that it comes to
constexpr std::uint64_t magic = 0x70616d726f736e65ull;

TensorMapRecord maps[most_tensor_maps];
Transfer transfers[most_transfers];
int transfer_count = 0;

unsigned long box_bytes(const TensorMapRecord& map) {
    unsigned long bytes = map.element_bytes;
    for (int d = 0; d < (map.space ? 2 : map.rank); ++d) bytes *= map.box[d];
    return bytes;
}

// The elements of a box, innermost dimension first: where they lie in the box and where in the tensor, null outside.
const unsigned char* element_of(const Transfer& transfer, unsigned long number) {
    const TensorMapRecord& map = *transfer.map;
    const unsigned char* place = map.base;
    for (int d = 0; d < map.rank; ++d) {
        const long at = transfer.coordinates[d] + long(number % map.box[d]) * map.element_strides[d];
        number /= map.box[d];
        if (at < 0 || at >= long(map.extents[d])) return nullptr;
        place += at * long(d ? map.strides[d - 1] : map.element_bytes);
    }
    return place;
}

}  // namespace

void put_element(const TensorMapRecord& map, std::uint32_t target, const unsigned char* from) {
    const std::uint32_t place = map.swizzle ? target ^ (target >> 7 & (map.swizzle / 16 - 1)) << 4 : target;
    auto* to = const_cast<unsigned char*>(shared_pointer(place, map.element_bytes));
    if (from) std::memcpy(to, from, map.element_bytes);
    else std::memset(to, map.fills_with_nan ? 0xff : 0, map.element_bytes);
}

namespace {

void land(const Transfer& transfer) {
    const TensorMapRecord& map = *transfer.map;
    const unsigned width = map.element_bytes;
    const unsigned long count = box_bytes(map) / width;
    if (map.space) land_pixels(transfer);
    else
        for (unsigned long i = 0; i < count; ++i)
            put_element(map, transfer.target + std::uint32_t(i * width), element_of(transfer, i));
    if (finds_races) {
        const Event event = Event(epochs.now) << epoch_shift | Event(transfer.agent) << who_shift | site_is_line |
                            Event(transfer.line);
        const auto start = reinterpret_cast<std::uintptr_t>(shared_pointer(transfer.target, box_bytes(map)));
        for (unsigned long at = 0; at < box_bytes(map); at += 16) land_copy(start + at, 16, event);
    }
    complete_transactions(*transfer.barrier, unsigned(box_bytes(map)));
}

}  // namespace

// A parameter lies there as its number behind a mark.
const TensorMapRecord& map_of(const void* parameter, int line) {
    std::uint64_t words[2];
    std::memcpy(words, parameter, sizeof words);
    if (words[0] != magic || words[1] >= most_tensor_maps)
        fail("bulk-copy", "the copy in @line:%d@ has no tensor map of the launch record, %s", line, place());
    return maps[words[1]];
}

void check_box(const TensorMapRecord& map, int dimensions, std::uint32_t target, int line) {
    if (dimensions != map.rank)
        fail("bulk-copy", "a box at %d coordinates of `%s`, which has %d dimensions, in @line:%d@, %s", dimensions, map.name,
             map.rank, line, place());
    if (target % 128)
        fail("misaligned", "a box of `%s` at byte %u of shared memory, in @line:%d@, %s: a multiple of 128 is required",
             map.name, target & 0xfffff, line, place());
    if (map.swizzle && target % (8 * map.swizzle))
        fail("misaligned", "a box of `%s`, swizzled by %u bytes, at byte %u of shared memory, in @line:%d@, %s: a multiple of %u is required",
             map.name, map.swizzle, target & 0xfffff, line, place(), 8 * map.swizzle);
}

namespace {

void check_copy(const Transfer& copy, int dimensions, int offsets) {
    check_box(*copy.map, dimensions, copy.target, copy.line);
    check_pixels(copy, offsets);
    if (!copy.barrier->is_fenced)
        fail("proxy-fence",
             "the copy in @line:%d@ completes the mbarrier of line %d, whose initialisation no fence has shown to the async "
             "proxy, %s: fence.mbarrier_init or fence.proxy.async after it",
             copy.line, copy.barrier->line, place());
}

}  // namespace

TensorMapRecord& tensor_map(int number) { return maps[number]; }

void tensor_map_parameter(int number, void* parameter) {
    const std::uint64_t words[2] = {magic, std::uint64_t(number)};
    std::memset(parameter, 0, 128);
    std::memcpy(parameter, words, sizeof words);
}

namespace {

// Begins a copy to one block, whose bytes count for an mbarrier of that block.
void begin_transfer(const Transfer& copy) {
    if (transfer_count == most_transfers) fail("limit", "more than %d bulk copies under way", most_transfers);
    Mbarrier& barrier = *copy.barrier;
    note_atomic(shared_pointer(barrier.address, 8), 8, copy.line);
    barrier.issuer = current_thread();
    const unsigned long bytes = box_bytes(*copy.map);
    auto* to = const_cast<unsigned char*>(shared_pointer(copy.target, bytes));
    if (finds_races) {
        settle_writes();
        enter_access(reinterpret_cast<std::uintptr_t>(to), bytes,
                     {Touch::write, event_of(copy.agent, site_is_line | copy_in_flight | Event(copy.line)), nullptr, true});
    }
    std::memset(to, 0xff, bytes);
    if (finds_races) settle_writes();
    if (arrival_of_transfers() == Arrival::at_once) land(copy);
    else transfers[transfer_count++] = copy;
}

}  // namespace

void load_box(const void* map, std::initializer_list<int> coordinates, std::initializer_list<int> offsets,
              std::uint32_t target, std::uint32_t barrier, const unsigned* mask, int line) {
    const int own = current_block(), ranks = cluster.size;
    if (mask && (*mask >> ranks || !*mask))
        fail("cluster", "a copy in @line:%d@ to the blocks of mask 0x%x, %s: the cluster has %d blocks", line, *mask, place(),
             ranks);
    Transfer copy = {&map_of(map, line), {}, {}, in_cluster(target), nullptr, line, 0};
    if (rank_of(copy.target) != own || rank_of(in_cluster(barrier)) != own)
        fail("cluster", "a copy in @line:%d@ to another block's shared memory, %s: name places of the own block, and other "
             "blocks by a mask", line, place());
    std::copy(coordinates.begin(), coordinates.end(), copy.coordinates);
    std::copy(offsets.begin(), offsets.end(), copy.offsets);
    for (int rank = 0; rank < ranks; ++rank) {
        if (mask ? !(*mask >> rank & 1) : rank != own) continue;
        touch_remotely(rank, "a bulk copy", line);
        copy.target = with_rank(target, rank);
        copy.barrier = &mbarrier_at(with_rank(barrier, rank), "a bulk copy", line);
        copy.agent = agent_of(*copy.barrier);
        check_copy(copy, int(coordinates.size()), int(offsets.size()));
        begin_transfer(copy);
    }
}

bool land_transfer() {
    if (!transfer_count) return false;
    const int chosen = arrival_of_transfers() == Arrival::last_first ? transfer_count - 1 : 0;
    const Transfer copy = transfers[chosen];
    --transfer_count;
    std::memmove(transfers + chosen, transfers + chosen + 1, (transfer_count - chosen) * sizeof(Transfer));
    land(copy);
    return true;
}

void check_transfers(int rank) {
    check_stores(rank);
    for (int i = 0; i < transfer_count; ++i) {
        if (rank_of(transfers[i].target) != rank) continue;
        fail("bulk-copy", "the block has ended, and the bulk copy of @line:%d@ is still under way, %s: wait for its mbarrier",
             transfers[i].line, place());
    }
}

}  // namespace vtac
