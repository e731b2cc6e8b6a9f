// half and bfloat16 as 16 bits each; conversions round to nearest, ties to even.
#pragma once

namespace vtac {

#define VTAC_UNCHECKED __attribute__((no_sanitize("undefined"), always_inline)) inline
// Of functions that tell of their accesses themselves, or make none of memory that threads share.
#define VTAC_TELLS __attribute__((no_sanitize("undefined", "thread"), noinline))

VTAC_UNCHECKED float as_float(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

VTAC_UNCHECKED std::uint32_t as_bits(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}

// The exponent is rebased by an exact product with 2^112, which normalises subnormal halves too.
VTAC_UNCHECKED float half_to_float(std::uint16_t half) {
    const std::uint32_t magnitude = half & 0x7fffu;
    const float finite = as_float(magnitude << 13) * as_float(0x77800000u);
    const std::uint32_t special = (magnitude << 13) | 0x7f800000u;
    const std::uint32_t bits = magnitude >= 0x7c00u ? special : as_bits(finite);
    return as_float(bits | (std::uint32_t(half & 0x8000u) << 16));
}

// half_to_float sixteen at a time.
template <int count>
VTAC_UNCHECKED void halves_to_floats(float* floats, const void* halves) {
    typedef std::uint16_t Shorts __attribute__((vector_size(32)));
    typedef std::uint32_t Words __attribute__((vector_size(64)));
    typedef float Floats __attribute__((vector_size(64)));
    static_assert(count % 16 == 0, "tiles are multiples of sixteen elements");
    for (int i = 0; i < count; i += 16) {
        Shorts packed;
        std::memcpy(&packed, static_cast<const std::uint16_t*>(halves) + i, sizeof packed);
        const Words bits = __builtin_convertvector(packed, Words), magnitude = bits & 0x7fffu;
        Words shifted = magnitude << 13;
        Floats finite;
        std::memcpy(&finite, &shifted, sizeof finite);
        finite *= as_float(0x77800000u);
        Words result;
        std::memcpy(&result, &finite, sizeof result);
        const Words is_special = Words(magnitude >= 0x7c00u);
        result = (is_special & (shifted | 0x7f800000u)) | (~is_special & result);
        result |= (bits & 0x8000u) << 16;
        std::memcpy(floats + i, &result, sizeof result);
    }
}

inline std::uint16_t float_to_half(float value) {
    const std::uint32_t bits = as_bits(value), sign = (bits >> 16) & 0x8000u;
    std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return 0x7fffu;
    if (magnitude >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {  // a subnormal half: adding 0.5 rounds at the weight of its last bit
        const float shifted = as_float(magnitude) + 0.5f;
        return std::uint16_t(sign | (as_bits(shifted) - 0x3f000000u));
    }
    magnitude += 0xfffu + ((magnitude >> 13) & 1u);
    return std::uint16_t(sign | ((magnitude - 0x38000000u) >> 13));
}

inline std::uint16_t float_to_bfloat16(float value) {
    const std::uint32_t bits = as_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
    return std::uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// A float that rounds to the narrower number that the double does: where it is none itself, of the two floats beside it
// the one whose last bit is set, which is no tie and on the same side of every tie.
inline float to_odd_float(double value) {
    const float nearest = static_cast<float>(value);
    const std::uint32_t bits = as_bits(nearest);
    if (double(nearest) == value || value != value || (bits & 1u)) return nearest;
    return as_float(std::fabs(double(nearest)) > std::fabs(value) ? bits - 1u : bits + 1u);
}

// Of numbers that are equal only zeros differ: -0 is less than +0.
template <class T>
inline T larger(T a, T b) { return a == b ? (std::signbit(a) ? b : a) : std::fmax(a, b); }
template <class T>
inline T smaller(T a, T b) { return a == b ? (std::signbit(a) ? a : b) : std::fmin(a, b); }

// What the tensor core reads of a float: sign, exponent and ten bits of mantissa.
VTAC_UNCHECKED float truncate_to_tf32(float value) { return as_float(as_bits(value) & 0xffffe000u); }

inline float round_to_tf32(float value) { return as_float((as_bits(value) + 0x1000u) & 0xffffe000u); }

}  // namespace vtac

struct __half {
    std::uint16_t bits;
    __half() = default;
    __half(float value) : bits(vtac::float_to_half(value)) {}
    __half(double value) : __half(vtac::to_odd_float(value)) {}
    __half(int value) : __half(double(value)) {}
    __half(unsigned value) : __half(double(value)) {}
    operator float() const { return vtac::half_to_float(bits); }
};

struct __nv_bfloat16 {
    std::uint16_t bits;
    __nv_bfloat16() = default;
    __nv_bfloat16(float value) : bits(vtac::float_to_bfloat16(value)) {}
    __nv_bfloat16(double value) : __nv_bfloat16(vtac::to_odd_float(value)) {}
    __nv_bfloat16(int value) : __nv_bfloat16(double(value)) {}
    __nv_bfloat16(unsigned value) : __nv_bfloat16(double(value)) {}
    operator float() const { return vtac::as_float(std::uint32_t(bits) << 16); }
};

using half = __half;
using nv_bfloat16 = __nv_bfloat16;

#define VTAC_ARITHMETIC(T)                                                          \
    inline T operator+(T a, T b) { return T(float(a) + float(b)); }                 \
    inline T operator-(T a, T b) { return T(float(a) - float(b)); }                 \
    inline T operator*(T a, T b) { return T(float(a) * float(b)); }                 \
    inline T operator/(T a, T b) { return T(float(a) / float(b)); }                 \
    inline T operator-(T a) { return T(-float(a)); }                                \
    inline T& operator+=(T& a, T b) { return a = a + b; }                           \
    inline T& operator-=(T& a, T b) { return a = a - b; }                           \
    inline T& operator*=(T& a, T b) { return a = a * b; }                           \
    inline bool operator<(T a, T b) { return float(a) < float(b); }                 \
    inline bool operator>(T a, T b) { return float(a) > float(b); }                 \
    inline bool operator<=(T a, T b) { return float(a) <= float(b); }               \
    inline bool operator>=(T a, T b) { return float(a) >= float(b); }               \
    inline bool operator==(T a, T b) { return float(a) == float(b); }               \
    inline bool operator!=(T a, T b) { return float(a) != float(b); }               \
    inline T __hadd(T a, T b) { return a + b; }                                     \
    inline T __hsub(T a, T b) { return a - b; }                                     \
    inline T __hmul(T a, T b) { return a * b; }                                     \
    inline T __hdiv(T a, T b) { return a / b; }                                     \
    inline T __hneg(T a) { return -a; }                                             \
    inline T __hfma(T a, T b, T c) { return T(std::fma(float(a), float(b), float(c))); } \
    inline T __hmax(T a, T b) { return T(vtac::larger(float(a), float(b))); }       \
    inline T __hmin(T a, T b) { return T(vtac::smaller(float(a), float(b))); }      \
    inline bool __hgt(T a, T b) { return a > b; }                                   \
    inline bool __hlt(T a, T b) { return a < b; }

VTAC_ARITHMETIC(__half)
VTAC_ARITHMETIC(__nv_bfloat16)
#undef VTAC_ARITHMETIC

inline __half __float2half(float value) { return __half(value); }
inline __half __float2half_rn(float value) { return __half(value); }
inline __half __int2half_rn(int value) { return __half(value); }
inline float __half2float(__half value) { return float(value); }
inline __nv_bfloat16 __float2bfloat16(float value) { return __nv_bfloat16(value); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
inline float __bfloat162float(__nv_bfloat16 value) { return float(value); }

#define VTAC_MIN_MAX(T)                                   \
    inline T min(T a, T b) { return b < a ? b : a; }      \
    inline T max(T a, T b) { return a < b ? b : a; }
VTAC_MIN_MAX(int)
VTAC_MIN_MAX(unsigned)
VTAC_MIN_MAX(long)
VTAC_MIN_MAX(unsigned long)
VTAC_MIN_MAX(long long)
VTAC_MIN_MAX(unsigned long long)
#undef VTAC_MIN_MAX
inline unsigned min(int a, unsigned b) { return min(unsigned(a), b); }
inline unsigned min(unsigned a, int b) { return min(a, unsigned(b)); }
inline unsigned max(int a, unsigned b) { return max(unsigned(a), b); }
inline unsigned max(unsigned a, int b) { return max(a, unsigned(b)); }
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }

inline int __float_as_int(float value) { return int(vtac::as_bits(value)); }
inline short __half_as_short(__half value) { return short(value.bits); }
inline short __bfloat16_as_short(__nv_bfloat16 value) { return short(value.bits); }
inline float __int_as_float(unsigned bits) { return vtac::as_float(bits); }
inline float __uint_as_float(unsigned bits) { return vtac::as_float(bits); }
inline __half __ushort_as_half(unsigned short bits) {
    __half value;
    value.bits = bits;
    return value;
}
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline float __expf(float value) { return std::exp(value); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __float2int_rn(float value) { return int(std::nearbyint(value)); }
inline float __int2float_rn(int value) { return float(value); }
