// The sums of a warp's 16 rows, computed once for its lanes: operands decoded as their descriptors say.
#include <cmath>
#include <cstring>

#include "include/vtac_numbers.h"
#include "events.h"
#include "group_sums.h"

namespace vtac {

namespace {

struct Computed {
    std::uint64_t a, b;
    int n;
    std::vector<float> sums;
};

// Of products that a warp's lanes ask about between two of their meetings.
struct WarpSums {
    unsigned meeting = 0;
    std::size_t used = 0;  // products; the memory of others is kept
    std::vector<Computed> products;
};

WarpSums warps[most_warps];

float widen(Element element, const unsigned char* at) {
    std::uint16_t half;
    float value;
    switch (element) {
        case Element::f16: std::memcpy(&half, at, 2); return half_to_float(half);
        case Element::bf16: std::memcpy(&half, at, 2); return as_float(std::uint32_t(half) << 16);
        case Element::tf32: std::memcpy(&value, at, 4); return as_float(as_bits(value) & 0xffffe000u);
        case Element::s8: return float(static_cast<signed char>(*at));
        default: return float(*at);
    }
}

// Elements of one row of an operand, along k.
void read_row(const Operand& operand, Element element, int row, float* values) {
    const int depth = depth_bytes / operand.width, step = operand.by_columns ? 1 : granule / operand.width;
    for (int k = 0; k < depth; k += step) {
        const unsigned char* at = shared_pointer(address_of(operand, row, k), operand.width);
        for (int i = 0; i < step; ++i) values[k + i] = widen(element, at + i * operand.width);
    }
}

// Sums of eight columns of one row: each in the order of k, as one lane would add them up.
void add_eight(const float* row, const float* columns, int n, int depth, float* sums) {
    float eight[8] = {};
    for (int k = 0; k < depth; ++k)
        for (int i = 0; i < 8; ++i) eight[i] += row[k] * columns[k * n + i];
    std::memcpy(sums, eight, sizeof eight);
}

void compute_warp(const GroupProduct& product, std::vector<float>& sums) {
    const int width = width_of(product.element), depth = depth_bytes / width, n = product.n;
    const Operand left = left_of(product, width), right = right_of(product, width);
    float row[depth_bytes];
    static std::vector<float> columns;  // by k, so that eight sums are added up at a time
    columns.resize(depth * n);
    for (int at = 0; at < n; ++at) {
        read_row(right, product.element, at, row);
        for (int k = 0; k < depth; ++k) columns[k * n + at] = row[k];
    }
    sums.resize(warp_rows * n);
    for (int at = 0; at < warp_rows; ++at) {
        read_row(left, product.element, left.first + at, row);
        for (int first = 0; first < n; first += 8) add_eight(row, &columns[first], n, depth, &sums[at * n + first]);
    }
}

const std::vector<float>& sums_of_warp(const GroupProduct& product, unsigned meeting) {
    WarpSums& warp = warps[current_thread() / lanes_per_warp];
    if (warp.meeting != meeting) warp.meeting = meeting, warp.used = 0;
    for (std::size_t i = 0; i < warp.used; ++i) {
        const Computed& known = warp.products[i];
        if (known.a == product.a && known.b == product.b && known.n == product.n) return known.sums;
    }
    if (warp.used == warp.products.size()) warp.products.emplace_back();
    Computed& next = warp.products[warp.used++];
    next.a = product.a, next.b = product.b, next.n = product.n;
    compute_warp(product, next.sums);
    return next.sums;
}

}  // namespace

Operand left_of(const GroupProduct& product, int width) {
    return {product.a, current_thread() / lanes_per_warp % warps_of_group * warp_rows, warp_rows, width, product.a_by_columns};
}

Operand right_of(const GroupProduct& product, int width) { return {product.b, 0, product.n, width, product.b_by_columns}; }

int width_of(Element element) { return element == Element::tf32 ? 4 : element == Element::s8 || element == Element::u8 ? 1 : 2; }

void sums_of_lane(const GroupProduct& product, unsigned meeting, std::vector<std::uint32_t>& sums) {
    const std::vector<float>& all = sums_of_warp(product, meeting);
    const int lane = current_lane();
    sums.resize(product.n / 2);
    for (int at = 0; at < product.n / 8; ++at)
        for (int i = 0; i < 4; ++i) {
            const float sum = all[(lane / 4 + i / 2 * 8) * product.n + 8 * at + lane % 4 * 2 + i % 2];
            sums[4 * at + i] = product.sums == Sums::s32 ? std::uint32_t(std::int32_t(sum)) : as_bits(sum);
        }
}

void forget_sums() {
    for (WarpSums& warp : warps) warp.meeting = 0, warp.used = 0;
}

}  // namespace vtac
