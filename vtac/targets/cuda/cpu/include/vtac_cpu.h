// CUDA C++ for the host compiler: the part of the language that kernels of matrix products use.
//
// A block's threads are fibers; they change only at barriers. Warp-wide matrix operations are
// carried out by one lane of the warp, on whole tiles. Shared memory is poisoned with NaN.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __restrict__ __restrict

#include "vtac_runtime.h"
#include "vtac_numbers.h"
#include "vtac_vectors.h"
#include "vtac_copies.h"
#include "vtac_wmma.h"
#include "vtac_mma.h"
#include "vtac_wgmma.h"
#include "vtac_kernel.h"
