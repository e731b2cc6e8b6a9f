// PTX's products of warpgroups: what the text passes of a lane's registers, and the runtime's part of it.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace vtac {

enum class Element : int { f16, bf16, tf32, s8, u8 };
enum class Sums : int { f32, f16, s32 };

// One wgmma.mma_async: descriptors of both operands; whether they lie by columns; whether it adds to the sums.
struct GroupProduct {
    Element element;
    Sums sums;
    int n;
    std::uint64_t a, b;
    bool a_by_columns, b_by_columns, adds;
};

// The registers are the lane's sums, in the order of the instruction: they hold nothing until a wait.
void begin_product(const GroupProduct& product, const std::initializer_list<void*>& registers, int line);
void fence_products(int line);
void commit_products(int line);
void wait_for_products(int pending, int line);

}  // namespace vtac
