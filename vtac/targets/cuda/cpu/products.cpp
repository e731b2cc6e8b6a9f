// Products of warpgroups: computed when they begin and again when they are waited for, with sums that hold nothing
// in between.
#include <cmath>
#include <cstring>
#include <vector>

#include "include/vtac_numbers.h"
#include "events.h"
#include "group_sums.h"
#include "matrices.h"

namespace vtac {

namespace {

constexpr std::uint32_t no_sum = 0xffffffffu;  // no number as a float, and no sum that anyone expects

// A register of a lane's sums: what it will hold, how many products under way add to it, and whether it was touched
// since the thread's last fence.
struct Register {
    std::uint32_t* place;
    std::uint32_t value;
    int pending;
};

struct Pending {
    GroupProduct product;
    std::vector<int> registers;  // numbers of the lane's
    std::vector<std::uint32_t> added;
    unsigned group;
    int line;
};

struct Span {
    std::uintptr_t begin, end;
};

struct Lane {
    std::vector<Register> registers;
    std::vector<Pending> pending;
    std::vector<Span> touched;
    unsigned group = 0, products = 0, meetings = 0;
    bool fenced = false;
    std::uint64_t history = 0;
    std::uintptr_t begin = ~std::uintptr_t(0), end = 0;  // around all registers
};

Lane lanes[first_warp];
bool in_use = false;

Lane& own() { return lanes[current_thread()]; }

// A register after a product: of halves two at a time.
std::uint32_t with_added(Sums sums, std::uint32_t value, const std::uint32_t* added) {
    if (sums == Sums::f32) return as_bits(as_float(value) + as_float(*added));
    if (sums == Sums::s32) return value + *added;
    std::uint32_t word = 0;
    for (int i = 0; i < 2; ++i) {
        const float sum = half_to_float(std::uint16_t(value >> 16 * i)) + as_float(added[i]);
        word |= std::uint32_t(float_to_half(sum)) << 16 * i;
    }
    return word;
}

int number_of(Lane& lane, std::uint32_t* place, std::size_t hint) {
    if (hint < lane.registers.size() && lane.registers[hint].place == place) return int(hint);
    for (std::size_t i = 0; i < lane.registers.size(); ++i)
        if (lane.registers[i].place == place) return int(i);
    lane.registers.push_back({place, 0, 0});
    const auto begin = reinterpret_cast<std::uintptr_t>(place);
    if (begin < lane.begin) lane.begin = begin;
    if (begin + 4 > lane.end) lane.end = begin + 4;
    return int(lane.registers.size()) - 1;
}

bool was_touched(const Lane& lane, const void* place) {
    const auto at = reinterpret_cast<std::uintptr_t>(place);
    for (const Span& span : lane.touched)
        if (at < span.end && at + 4 > span.begin) return true;
    return false;
}

void check_untouched(const Register& one, int line) {
    if (one.pending && *one.place != no_sum)
        fail("wgmma-wait",
             "a register of sums holds another value than when the product in @line:%d@ was begun, %s: no "
             "wgmma.wait_group comes before what wrote it",
             line, place());
}

void check_group(int line) {
    const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
    if (threads % (warps_of_group * lanes_per_warp))
        fail("warpgroup", "a product of a warpgroup in @line:%d@ in a block of %u threads, %s: groups are four whole warps",
             line, threads, place());
}

// All lanes of a warp come to the same instruction; `value` is what they must agree on.
void meet(Exchange kind, const std::uint64_t (&value)[2], int line) {
    const unsigned char* all = exchange(kind, value, sizeof value, line);
    if (std::memcmp(all, value, sizeof value))
        fail("warpgroup", "lanes of one warp pass different descriptors in @line:%d@, %s", line, place());
    ++own().meetings;
}

void remember(Lane& lane, std::uint64_t part) { lane.history = (lane.history ^ part) * 0x100000001b3ull + 0x9e3779b9ull; }

void finish(Lane& lane, Pending& entry) {
    std::vector<std::uint32_t> now;
    sums_of_lane(entry.product, lane.meetings, now);
    if (now != entry.added)
        fail("wgmma-wait",
             "the product that was begun in @line:%d@ reads other values when it is waited for than when it was begun, %s: "
             "its operands in shared memory were written in between",
             entry.line, place());
    if (current_lane() == 0) {
        const int width = width_of(entry.product.element);
        end_reading(left_of(entry.product, width), entry.line);
        end_reading(right_of(entry.product, width), entry.line);
    }
    for (const int number : entry.registers) {
        Register& one = lane.registers[number];
        check_untouched(one, entry.line);
        if (--one.pending == 0) *one.place = one.value;
    }
}

}  // namespace

void begin_product(const GroupProduct& product, const std::initializer_list<void*>& registers, int line) {
    Lane& lane = own();
    check_group(line);
    if (!lane.fenced)
        fail("wgmma-fence", "the product in @line:%d@ is begun, %s, and no wgmma.fence comes before the first one", line,
             place());
    const int width = width_of(product.element);
    meet(Exchange::product, {product.a, product.b}, line);
    check_descriptor({product.a, 0, group_rows, width, product.a_by_columns}, "A", line);
    check_descriptor(right_of(product, width), "B", line);
    if (current_lane() == 0) {
        begin_reading(left_of(product, width), line);
        begin_reading(right_of(product, width), line);
    }
    remember(lane, product.a), remember(lane, product.b), remember(lane, line), ++lane.products;
    Pending entry{product, {}, {}, lane.group, line};
    sums_of_lane(product, lane.meetings, entry.added);
    const int per_register = product.sums == Sums::f16 ? 2 : 1;
    std::size_t at = 0;
    int hint = 0;
    for (void* pointer : registers) {
        auto* place_of_sum = static_cast<std::uint32_t*>(pointer);
        const int number = number_of(lane, place_of_sum, std::size_t(hint));
        hint = number + 1;
        Register& one = lane.registers[number];
        check_untouched(one, line);
        if (was_touched(lane, pointer))
            fail("wgmma-fence",
                 "the product in @line:%d@ adds to a register that the thread touched since its last wgmma.fence, %s", line,
                 place());
        const std::uint32_t before = one.pending ? one.value : *place_of_sum;
        one.value = with_added(product.sums, product.adds ? before : 0, &entry.added[per_register * at++]);
        ++one.pending;
        *place_of_sum = no_sum;
        entry.registers.push_back(number);
    }
    lane.pending.push_back(std::move(entry));
}

void fence_products(int line) {
    in_use = true;
    meet(Exchange::fence, {1, 0}, line);
    own().fenced = true;
    own().touched.clear();
}

void commit_products(int line) {
    meet(Exchange::commit, {2, 0}, line);
    ++own().group;
}

void wait_for_products(int pending, int line) {
    meet(Exchange::wait, {3, std::uint64_t(pending)}, line);
    Lane& lane = own();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < lane.pending.size(); ++i) {
        Pending& entry = lane.pending[i];
        if (entry.group + unsigned(pending) < lane.group) {
            finish(lane, entry);
        } else {
            if (kept != i) lane.pending[kept] = std::move(entry);
            ++kept;
        }
    }
    lane.pending.resize(kept);
}

void note_register(const void* address, std::size_t bytes, bool writes) {
    if (!in_use) return;
    Lane& lane = own();
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    const bool may_be_one = begin < lane.end && begin + bytes > lane.begin;
    for (std::size_t i = 0; may_be_one && i < lane.registers.size(); ++i) {
        const Register& one = lane.registers[i];
        const auto at = reinterpret_cast<std::uintptr_t>(one.place);
        if (!one.pending || begin >= at + 4 || at >= begin + bytes) continue;
        fail("wgmma-wait", "a register of sums is %s, %s, while the product that was begun in @line:%d@ adds to it: no "
             "wgmma.wait_group comes before", writes ? "written" : "read", place(), lane.pending.back().line);
    }
    if (!lane.touched.empty() && lane.touched.back().end == begin) {
        lane.touched.back().end += bytes;
    } else {
        lane.touched.push_back({begin, begin + bytes});
    }
}

void forget_products() {
    if (!in_use) return;
    for (int thread = 0; thread < cluster.size * cluster.threads; ++thread) lanes[thread] = Lane();
    forget_sums();
    start_matrices();
}

void check_products() {
    if (!in_use) return;
    for (int thread = 0; thread < cluster.size * cluster.threads; ++thread) {
        const Lane& lane = lanes[thread];
        look_at_block(block_of_thread(thread));
        const uint3 index = index_of_thread(thread);
        if (!lane.pending.empty())
            fail("wgmma-wait", "thread (%u, %u, %u) of block (%u, %u, %u) ends with the product that was begun in @line:%d@ "
                 "under way: no wgmma.wait_group of a committed group waits for it", index.x, index.y, index.z, blockIdx.x,
                 blockIdx.y, blockIdx.z, lane.pending.front().line);
        const Lane& first = lanes[thread / (warps_of_group * lanes_per_warp) * warps_of_group * lanes_per_warp];
        if (lane.history != first.history)
            fail("warpgroup", "thread (%u, %u, %u) of block (%u, %u, %u) began %u products, or with other descriptors or in "
                 "other lines, than the first warp of its group (%u)", index.x, index.y, index.z, blockIdx.x, blockIdx.y,
                 blockIdx.z, lane.products, first.products);
    }
}

}  // namespace vtac
