// The vector types of CUDA, with its alignments: a misaligned access is a fault on the device.
#pragma once

#define VTAC_VECTORS(T, name)                                                                   \
    struct alignas(sizeof(T)) name##1 { T x; };                                                 \
    struct alignas(2 * sizeof(T)) name##2 { T x, y; };                                          \
    struct name##3 { T x, y, z; };                                                              \
    struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) name##4 { T x, y, z, w; };               \
    inline name##1 make_##name##1(T x) { return {x}; }                                          \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                  \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                          \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

VTAC_VECTORS(signed char, char)
VTAC_VECTORS(unsigned char, uchar)
VTAC_VECTORS(short, short)
VTAC_VECTORS(unsigned short, ushort)
VTAC_VECTORS(int, int)
VTAC_VECTORS(float, float)
VTAC_VECTORS(long long, longlong)
VTAC_VECTORS(double, double)
#undef VTAC_VECTORS

// uint3 is the type of threadIdx, and declared with it.
struct uint1 { unsigned x; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint1 make_uint1(unsigned x) { return {x}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

struct alignas(4) __half2 { __half x, y; };
struct alignas(4) __nv_bfloat162 { __nv_bfloat16 x, y; };
using half2 = __half2;
using nv_bfloat162 = __nv_bfloat162;

inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 make_half2(__half x, __half y) { return {x, y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
inline __half2 __float2half2_rn(float value) { return {__half(value), __half(value)}; }
inline __half2 __half2half2(__half value) { return {value, value}; }
inline __half __low2half(__half2 pair) { return pair.x; }
inline __half __high2half(__half2 pair) { return pair.y; }
inline float2 __half22float2(__half2 pair) { return {float(pair.x), float(pair.y)}; }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) { return {x, y}; }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__nv_bfloat16(x), __nv_bfloat16(y)}; }

#define VTAC_PAIRS(T)                                                                           \
    inline T __hadd2(T a, T b) { return {a.x + b.x, a.y + b.y}; }                               \
    inline T __hmul2(T a, T b) { return {a.x * b.x, a.y * b.y}; }                               \
    inline T __hfma2(T a, T b, T c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }  \
    inline T __hmax2(T a, T b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }                 \
    inline T __hmin2(T a, T b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }
VTAC_PAIRS(__half2)
VTAC_PAIRS(__nv_bfloat162)
#undef VTAC_PAIRS

template <class T>
inline T __ldg(const T* address) {
    return *address;
}

// Threads change only at barriers, so a plain update is atomic.
template <class T>
VTAC_TELLS T atomicAdd(T* address, std::common_type_t<T> value, int line = __builtin_LINE()) {
    vtac::note_atomic(address, sizeof(T), line);
    const T before = *address;
    *address = before + value;
    return before;
}
