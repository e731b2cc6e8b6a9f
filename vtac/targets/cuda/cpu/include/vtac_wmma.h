// nvcuda::wmma on whole tiles: a fragment of the executing lane holds the warp's tile, row-major,
// and an elementwise loop over `num_elements` covers it. The other lanes' fragments hold nothing.
#pragma once

namespace nvcuda {
namespace wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
namespace precision {
struct tf32;
}
enum layout_t { mem_row_major, mem_col_major };

inline float __float_to_tf32(float value) { return vtac::round_to_tf32(value); }

namespace detail {

template <class T>
struct Storage {
    using type = T;
};
template <>
struct Storage<precision::tf32> {
    using type = float;
};

template <class T>
constexpr bool is_byte = std::is_same_v<T, signed char> || std::is_same_v<T, unsigned char>;
template <class T>
constexpr bool is_tf32 = std::is_same_v<T, precision::tf32>;
template <class T>
constexpr bool is_short = std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>;

// Which fragments CUDA has: the program says so, from the compiler's record of tensor cores.
template <class Use, int m, int n, int k, class T>
constexpr bool exists = false;

template <class T>
VTAC_UNCHECKED T poison() {
    T value;
    std::memset(&value, 0xff, sizeof value);
    return value;
}

VTAC_UNCHECKED float widen(float value) { return value; }
VTAC_UNCHECKED float widen(__half value) { return vtac::half_to_float(value.bits); }
VTAC_UNCHECKED float widen(__nv_bfloat16 value) { return vtac::as_float(std::uint32_t(value.bits) << 16); }
VTAC_UNCHECKED int widen(signed char value) { return value; }
VTAC_UNCHECKED int widen(unsigned char value) { return value; }
VTAC_UNCHECKED int widen(int value) { return value; }

template <int count, class W, class T>
VTAC_UNCHECKED void widen_all(W* wide, const T* values) {
    if constexpr (std::is_same_v<T, __half>) {
        vtac::halves_to_floats<count>(wide, values);
    } else {
        for (int i = 0; i < count; ++i) wide[i] = widen(values[i]);
    }
}

}  // namespace detail

template <class Use, int m, int n, int k, class T, class Layout = void>
class fragment {
    static_assert(detail::exists<Use, m, n, k, T>, "CUDA has no fragment of this shape and element type");
    static constexpr bool accumulates = std::is_same_v<Use, accumulator>;
    static_assert(accumulates == std::is_same_v<Layout, void>,
                  "matrix_a and matrix_b have a layout of row_major or col_major, an accumulator has none");

public:
    static constexpr int rows = std::is_same_v<Use, matrix_b> ? k : m;
    static constexpr int columns = std::is_same_v<Use, matrix_a> ? k : n;
    enum { num_elements = rows * columns, num_storage_elements = num_elements };
    using element_type = T;
    using storage_element_type = typename detail::Storage<T>::type;

    alignas(64) storage_element_type x[num_elements];

    VTAC_TELLS fragment() {
        if (!vtac::executes_for_warp) return;
        for (auto& element : x) element = detail::poison<storage_element_type>();
    }
};

namespace detail {

template <class S>
void check_access(const char* what, const S* address, unsigned pitch, unsigned shortest) {
    if (reinterpret_cast<std::uintptr_t>(address) % 32)
        vtac::fail("misaligned", "%s at %p: the address of a tile must be a multiple of 32 bytes", what,
                   static_cast<const void*>(address));
    if (pitch * sizeof(S) % 16)
        vtac::fail("misaligned", "%s with a pitch of %u elements of %zu bytes: it must be a multiple of 16 bytes", what,
                   pitch, sizeof(S));
    if (pitch < shortest)
        vtac::fail("pitch", "%s with a pitch of %u elements: a tile's line has %u, so lines would overlap", what, pitch,
                   shortest);
}

template <class Fragment, class S>
VTAC_TELLS void load(Fragment& tile, const S* address, unsigned pitch, bool by_rows, int line) {
    constexpr unsigned rows = Fragment::rows, columns = Fragment::columns;
    vtac::note_warp_operation(vtac::WarpOperation::load, address, pitch);
    if (!vtac::executes_for_warp) return;
    check_access("load_matrix_sync", address, pitch, by_rows ? columns : rows);
    vtac::note_tile(address, (by_rows ? columns : rows) * sizeof(S), pitch * sizeof(S), by_rows ? rows : columns, false,
                    line);
    if (by_rows) {
        for (unsigned r = 0; r < rows; ++r) std::memcpy(tile.x + r * columns, address + r * pitch, columns * sizeof(S));
        return;
    }
    for (unsigned r = 0; r < rows; ++r)
        for (unsigned c = 0; c < columns; ++c) tile.x[r * columns + c] = address[c * pitch + r];
}

// acc[m][n] += a[m][k] * b[k][n], a line of b at a time; four rows of acc stay in registers.
template <int m, int n, int k, class W, class A, class B>
VTAC_TELLS void accumulate(W* acc, const A* a, const B* b, bool as_tf32) {
    typedef W Line __attribute__((vector_size(n * sizeof(W)), aligned(32), may_alias));
    alignas(64) W left[m * k], right[k * n];
    widen_all<m * k>(left, a);
    widen_all<k * n>(right, b);
    if constexpr (std::is_same_v<W, float>) {
        if (as_tf32) {
            for (W& value : left) value = vtac::truncate_to_tf32(value);
            for (W& value : right) value = vtac::truncate_to_tf32(value);
        }
    }
    const Line* lines = reinterpret_cast<const Line*>(right);
    Line* sums = reinterpret_cast<Line*>(acc);
    for (int row = 0; row < m; row += 4) {
        Line s0 = sums[row], s1 = sums[row + 1], s2 = sums[row + 2], s3 = sums[row + 3];
        const W* factors = left + row * k;
        for (int step = 0; step < k; ++step) {
            const Line line = lines[step];
            s0 += factors[step] * line;
            s1 += factors[k + step] * line;
            s2 += factors[2 * k + step] * line;
            s3 += factors[3 * k + step] * line;
        }
        sums[row] = s0, sums[row + 1] = s1, sums[row + 2] = s2, sums[row + 3] = s3;
    }
}

}  // namespace detail

template <class Use, int m, int n, int k, class T, class Layout>
VTAC_TELLS void fill_fragment(fragment<Use, m, n, k, T, Layout>& tile, const std::common_type_t<typename detail::Storage<T>::type>& value) {
    vtac::note_warp_operation(vtac::WarpOperation::fill, nullptr, 0);
    if (!vtac::executes_for_warp) return;
    for (auto& element : tile.x) element = value;
}

template <class Use, int m, int n, int k, class T, class Layout>
void load_matrix_sync(
    fragment<Use, m, n, k, T, Layout>& tile, const typename detail::Storage<T>::type* address, unsigned pitch,
    int line = __builtin_LINE()) {
    static_assert(!std::is_same_v<Use, accumulator>, "loading an accumulator takes a layout_t");
    detail::load(tile, address, pitch, std::is_same_v<Layout, row_major>, line);
}

template <int m, int n, int k, class T>
void load_matrix_sync(fragment<accumulator, m, n, k, T>& tile, const T* address, unsigned pitch, layout_t layout,
                      int line = __builtin_LINE()) {
    detail::load(tile, address, pitch, layout == mem_row_major, line);
}

template <int m, int n, int k, class T>
VTAC_TELLS void store_matrix_sync(
    T* address, const fragment<accumulator, m, n, k, T>& tile, unsigned pitch, layout_t layout,
    int line = __builtin_LINE()) {
    vtac::note_warp_operation(vtac::WarpOperation::store, address, pitch);
    if (!vtac::executes_for_warp) return;
    const bool by_rows = layout == mem_row_major;
    detail::check_access("store_matrix_sync", address, pitch, by_rows ? n : m);
    vtac::note_tile(address, (by_rows ? n : m) * sizeof(T), pitch * sizeof(T), by_rows ? m : n, true, line);
    for (unsigned r = 0; r < m; ++r)
        for (unsigned c = 0; c < n; ++c) address[by_rows ? r * pitch + c : c * pitch + r] = tile.x[r * n + c];
}

template <int m, int n, int k, class T, class LayoutA, class LayoutB, class D, class C>
VTAC_TELLS void mma_sync(
    fragment<accumulator, m, n, k, D>& d, const fragment<matrix_a, m, n, k, T, LayoutA>& a,
    const fragment<matrix_b, m, n, k, T, LayoutB>& b, const fragment<accumulator, m, n, k, C>& c, bool = false) {
    using Wide = std::conditional_t<detail::is_byte<T>, int, float>;
    static_assert(detail::is_byte<T> ? std::is_same_v<D, int> && std::is_same_v<C, int>
                  : std::is_same_v<T, __half>
                      ? !std::is_same_v<D, int> && !std::is_same_v<C, int>
                      : std::is_same_v<D, float> && std::is_same_v<C, float>,
                  "mma_sync: CUDA has no product of these operands with this accumulator");
    vtac::note_warp_operation(vtac::WarpOperation::multiply, nullptr, 0);
    if (!vtac::executes_for_warp) return;
    if constexpr (std::is_same_v<D, Wide> && std::is_same_v<C, Wide>) {
        if (d.x != c.x) std::memcpy(d.x, c.x, sizeof d.x);
        detail::accumulate<m, n, k>(d.x, a.x, b.x, detail::is_tf32<T>);
    } else {
        alignas(64) float sum[m * n];
        for (int i = 0; i < m * n; ++i) sum[i] = detail::widen(c.x[i]);
        detail::accumulate<m, n, k>(sum, a.x, b.x, false);
        for (int i = 0; i < m * n; ++i) d.x[i] = D(sum[i]);
    }
}

}  // namespace wmma
}  // namespace nvcuda
