// What a product of a warpgroup adds to the sums of a lane.
#pragma once

#include <cstdint>
#include <vector>

#include "include/vtac_wgmma.h"
#include "matrices.h"

namespace vtac {

constexpr int warps_of_group = 4;

int width_of(Element element);  // bytes
Operand left_of(const GroupProduct& product, int width);
Operand right_of(const GroupProduct& product, int width);

// Two neighbours of two rows eight apart, in each eight columns, as the operands are when the lanes of the warp have met
// for the `meeting`-th time: the first lane that asks computes them for all 32.
void sums_of_lane(const GroupProduct& product, unsigned meeting, std::vector<std::uint32_t>& sums);
void forget_sums();

}  // namespace vtac
