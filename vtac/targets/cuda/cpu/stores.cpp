// Bulk copies of boxes from shared memory to arrays: their source is read some time between issue and wait, what they
// write is there some time after.
#include <algorithm>
#include <cstring>
#include <vector>

#include "clusters.h"
#include "shadow.h"
#include "transfers.h"

namespace vtac {

namespace {

// One piece of a box that lies side by side in both memories.
struct Piece {
    std::uint32_t source;
    unsigned char* target;
};

struct Store {
    const TensorMapRecord* map;
    std::vector<Piece> pieces;
    std::vector<unsigned char> read;  // what the source held when the copy was begun
    Event event;
    unsigned group;
    int thread, line;
    bool was_read;
};

std::vector<Store> stores;  // under way, in the order of their issue
unsigned groups[first_warp];

std::uint32_t swizzled(const TensorMapRecord& map, std::uint32_t at) {
    return map.swizzle ? at ^ (at >> 7 & (map.swizzle / 16 - 1)) << 4 : at;
}

// Elements of a box that lie inside of the array, by their places in both.
void find_pieces(Store& store, const int* coordinates, std::uint32_t source) {
    const TensorMapRecord& map = *store.map;
    unsigned long count = 1;
    for (int d = 0; d < map.rank; ++d) count *= map.box[d];
    for (unsigned long i = 0; i < count; ++i) {
        auto* target = const_cast<unsigned char*>(map.base);
        unsigned long rest = i;
        bool is_inside = true;
        for (int d = 0; d < map.rank; ++d) {
            const long at = coordinates[d] + long(rest % map.box[d]) * map.element_strides[d];
            rest /= map.box[d];
            is_inside = is_inside && at >= 0 && at < long(map.extents[d]);
            target += at * long(d ? map.strides[d - 1] : map.element_bytes);
        }
        if (is_inside) store.pieces.push_back({swizzled(map, source + std::uint32_t(i * map.element_bytes)), target});
    }
}

// Reads the source as the async proxy does: once when the copy is begun, again when it is waited for.
std::vector<unsigned char> read_source(const Store& store) {
    const unsigned width = store.map->element_bytes;
    std::vector<unsigned char> found(store.pieces.size() * width);
    if (finds_races) settle_writes();
    const Event event = event_of(store.thread, site_is_line | Event(store.line));
    for (std::size_t i = 0; i < store.pieces.size(); ++i) {
        const unsigned char* at = shared_pointer(store.pieces[i].source, width);
        if (finds_races) enter_access(reinterpret_cast<std::uintptr_t>(at), width, {Touch::read, event, nullptr, true});
        std::memcpy(&found[i * width], at, width);
    }
    return found;
}

void finish_reading(Store& store) {
    if (store.was_read) return;
    store.was_read = true;
    if (read_source(store) != store.read)
        fail("bulk-copy",
             "what the bulk copy of @line:%d@ stores in `%s` was written over while it read it, %s: wait for its group first",
             store.line, store.map->name, place());
}

void write_target(const Store& store) {
    const unsigned width = store.map->element_bytes;
    for (std::size_t i = 0; i < store.pieces.size(); ++i) {
        unsigned char* to = store.pieces[i].target;
        if (finds_races) {
            settle_writes();
            enter_access(reinterpret_cast<std::uintptr_t>(to), width, {Touch::write, store.event, &store.read[i * width]});
        }
        std::memcpy(to, &store.read[i * width], width);
    }
    if (finds_races) settle_writes();
}

}  // namespace

void store_box(const void* parameter, std::initializer_list<int> coordinates, std::uint32_t address, int line) {
    const TensorMapRecord& map = map_of(parameter, line);
    const std::uint32_t source = in_cluster(address);
    if (rank_of(source) != current_block())
        fail("cluster", "a copy in @line:%d@ of another block's shared memory, %s: a block stores its own", line, place());
    check_box(map, int(coordinates.size()), source, line);
    if (map.space) fail("bulk-copy", "a box of `%s` is stored in @line:%d@, %s, by a map for im2col", map.name, line, place());
    const Region* region = find_region(map.base);
    if (!region || region->kind != Region::output)
        fail("write-to-input", "a bulk copy in @line:%d@ stores to `%s`, %s, which the launch record does not name an output",
             line, map.name, place());
    const int thread = current_thread();
    Store store{&map, {}, {}, event_of(thread, site_is_line | Event(line)), groups[thread], thread, line, false};
    find_pieces(store, coordinates.begin(), source);
    store.read = read_source(store);
    if (arrival_of_transfers() == Arrival::at_once) write_target(store);
    stores.push_back(std::move(store));
}

void commit_stores() { ++groups[current_thread()]; }

// Groups are waited for in the order of their commits; a copy that was not committed is in none.
void wait_for_stores(int under_way, bool only_reads) {
    const int thread = current_thread();
    for (Store& store : stores)
        if (store.thread == thread && store.group + unsigned(under_way) < groups[thread]) {
            finish_reading(store);
            if (!only_reads && arrival_of_transfers() != Arrival::at_once) write_target(store), store.map = nullptr;
        }
    stores.erase(std::remove_if(stores.begin(), stores.end(), [](const Store& one) { return !one.map; }), stores.end());
}

void check_stores(int rank) {
    std::vector<Store> kept, ended;
    for (Store& store : stores) (block_of_thread(store.thread) == rank ? ended : kept).push_back(std::move(store));
    for (const Store& store : ended)
        if (!store.was_read)
            fail("bulk-copy",
                 "the block has ended, and the bulk copy of @line:%d@ still reads its shared memory to store it in `%s`, %s: "
                 "commit it, and wait for its group, in the thread that has begun it",
                 store.line, store.map->name, place());
    if (arrival_of_transfers() == Arrival::last_first) std::reverse(ended.begin(), ended.end());
    if (arrival_of_transfers() != Arrival::at_once)
        for (const Store& store : ended) write_target(store);
    stores.swap(kept);
    std::fill(groups + rank * cluster.threads, groups + (rank + 1) * cluster.threads, 0u);
}

}  // namespace vtac
