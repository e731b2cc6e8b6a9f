// Matrices in shared memory as descriptors name them.
#pragma once

#include <cstdint>

#include "include/vtac_wgmma.h"
#include "runtime.h"

namespace vtac {

constexpr int group_rows = 64, warp_rows = 16, depth_bytes = 32, granule = 16;

// One operand of a product: `rows` of m or n from `first` on, by 32 bytes of k.
struct Operand {
    std::uint64_t descriptor;
    int first, rows, width;
    bool by_columns;
};

// Fails for a descriptor that no hardware reads as it is meant.
void check_descriptor(const Operand& operand, const char* name, int line);
// The address of an element's byte in shared memory; chunks have changed places.
std::uint32_t address_of(const Operand& operand, int row, int k);

// Bytes that products under way read, as sixteenths; and what is told of a write that meets one.
void begin_reading(const Operand& operand, int line);
void end_reading(const Operand& operand, int line);
void start_matrices();
// Fails if a product under way reads one of these bytes of shared memory.
void check_not_pending(const void* address, std::size_t bytes, const char* verb);

// A thread's own variables: whether its sums are touched while products are under way.
void note_register(const void* address, std::size_t bytes, bool writes);
void forget_products();
void check_products();

}  // namespace vtac
