// PTX's warp-wide matrix instructions by lane: ldmatrix, mma.sync. What a lane holds is its own; it is exchanged.
#pragma once

namespace vtac {
namespace ptx {

constexpr int exchanged_pitch = 64;

// The element types that registers hold, of 32 bits together.
struct f16 {
    static constexpr int per_register = 2;
    static float widen(std::uint32_t word, int at) { return half_to_float(std::uint16_t(word >> 16 * at)); }
};
struct bf16 {
    static constexpr int per_register = 2;
    static float widen(std::uint32_t word, int at) { return as_float(word >> 16 * at << 16); }
};
struct tf32 {
    static constexpr int per_register = 1;
    static float widen(std::uint32_t word, int) { return truncate_to_tf32(as_float(word)); }
};
struct s8 {
    static constexpr int per_register = 4;
    static int widen(std::uint32_t word, int at) { return static_cast<signed char>(word >> 8 * at); }
};
struct u8 {
    static constexpr int per_register = 4;
    static int widen(std::uint32_t word, int at) { return static_cast<unsigned char>(word >> 8 * at); }
};

// Lanes 0 to 8 * matrices - 1 each name a row of 8 x 16 bytes; the addresses of others count for nothing.
template <int matrices, bool transposed>
VTAC_TELLS void ldmatrix(std::uint32_t* const (&registers)[matrices], std::uint32_t address, int line) {
    unsigned char row[16];
    std::memset(row, 0xff, sizeof row);
    const int lane = current_lane();
    if (lane < 8 * matrices) {
        const unsigned char* place = shared_pointer(address, sizeof row);
        if (reinterpret_cast<std::uintptr_t>(place) % sizeof row)
            fail("misaligned", "ldmatrix of a row at %p, line %d: its address must be a multiple of 16 bytes",
                 static_cast<const void*>(place), line);
        note_tile(place, sizeof row, 0, 1, false, line);
        std::memcpy(row, place, sizeof row);
    }
    const unsigned kind = unsigned(transposed ? Exchange::transposed_1 : Exchange::load_1) + matrices / 2;
    const unsigned char* rows = exchange(Exchange(kind), row, sizeof row, line);
    for (int matrix = 0; matrix < matrices; ++matrix) {
        const unsigned char* first = rows + 8 * matrix * exchanged_pitch;
        if (!transposed) {
            std::memcpy(registers[matrix], first + lane / 4 * exchanged_pitch + lane % 4 * 4, 4);
            continue;
        }
        std::uint16_t pair[2];
        for (int i = 0; i < 2; ++i)
            std::memcpy(&pair[i], first + (lane % 4 * 2 + i) * exchanged_pitch + lane / 4 * 2, 2);
        std::memcpy(registers[matrix], pair, 4);
    }
}

// Of each matrix lane 4 r + c gives columns 2 c and 2 c + 1 of row r, or transposed rows 2 c and 2 c + 1 of column r; lane
// 8 m + r writes row r of matrix m, 16 bytes. The addresses of other lanes count for nothing.
template <int matrices, bool transposed>
VTAC_TELLS void stmatrix(std::uint32_t address, const std::uint32_t (&registers)[matrices], int line) {
    const unsigned kind = unsigned(transposed ? Exchange::store_transposed_1 : Exchange::store_1) + matrices / 2;
    const unsigned char* all = exchange(Exchange(kind), registers, sizeof registers, line);
    const int lane = current_lane();
    if (lane >= 8 * matrices) return;
    std::uint16_t row[8];
    for (int column = 0; column < 8; ++column) {
        const int along = transposed ? lane % 8 : column, across = transposed ? column : lane % 8;
        std::memcpy(&row[column], all + (across * 4 + along / 2) * exchanged_pitch + lane / 8 * 4 + along % 2 * 2, 2);
    }
    auto* place = const_cast<unsigned char*>(shared_pointer(address, sizeof row));
    if (reinterpret_cast<std::uintptr_t>(place) % sizeof row)
        fail("misaligned", "stmatrix to a row at %p, line %d: its address must be a multiple of 16 bytes",
             static_cast<const void*>(place), line);
    note_tile(place, sizeof row, 0, 1, true, line);
    std::memcpy(place, row, sizeof row);
}

// D = A x B + C of 16 x 8, with 32 bytes of k. In A row r and column k are in lane r % 8 * 4 + k % (4 e) / e, for e
// elements in a register, in register r / 8 + k / (4 e) * 2; in B column n and row k in lane n * 4 + k % (4 e) / e, in
// register k / (4 e). A lane adds up two columns of two rows.
template <class T, class Sum>
VTAC_TELLS void products_of(const std::uint32_t (&left)[4], const std::uint32_t (&right)[2], Sum (&products)[4], int line) {
    struct Passed {
        std::uint32_t left[4], right[2];
    } mine;
    std::memcpy(mine.left, left, sizeof left);
    std::memcpy(mine.right, right, sizeof right);
    const unsigned char* all = exchange(Exchange::multiply, &mine, sizeof mine, line);
    constexpr int e = T::per_register, depth = 8 * e;
    const int lane = current_lane();
    const auto of = [all](int number) { return reinterpret_cast<const Passed*>(all + number * exchanged_pitch); };
    for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        products[i] = 0;
        for (int k = 0; k < depth; ++k) {
            const int part = k % (4 * e) / e, half = k / (4 * e);
            const auto x = T::widen(of(row % 8 * 4 + part)->left[row / 8 + half * 2], k % e);
            const auto y = T::widen(of(column * 4 + part)->right[half], k % e);
            products[i] += x * y;
        }
    }
}

template <class T, class Sum>
VTAC_TELLS void mma(Sum* const (&results)[4], const std::uint32_t (&left)[4], const std::uint32_t (&right)[2],
                    const Sum (&sums)[4], int line) {
    Sum products[4];
    products_of<T>(left, right, products, line);
    for (int i = 0; i < 4; ++i) *results[i] = sums[i] + products[i];
}

// Sums of halves, two in a register: added up in float, and rounded once for each instruction.
template <class T>
VTAC_TELLS void mma(std::uint32_t* const (&results)[2], const std::uint32_t (&left)[4], const std::uint32_t (&right)[2],
                    const std::uint32_t (&sums)[2], int line) {
    float products[4];
    products_of<T>(left, right, products, line);
    for (int i = 0; i < 2; ++i) {
        std::uint32_t word = 0;
        for (int at = 0; at < 2; ++at) {
            const float sum = f16::widen(sums[i], at) + products[2 * i + at];
            word |= std::uint32_t(float_to_half(sum)) << 16 * at;
        }
        *results[i] = word;
    }
}

}  // namespace ptx
}  // namespace vtac
