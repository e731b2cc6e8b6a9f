// Where the elements of a product's operands lie, from the bits of their descriptors, and which are being read.
#include <cstring>

#include "clusters.h"
#include "matrices.h"

namespace vtac {

namespace {

constexpr int most_granules = 1 << 14;  // of what a descriptor tells apart
std::uint16_t readers[most_cluster][most_granules];  // by the block's rank
int reader_lines[most_cluster][most_granules];
int being_read = 0;

// Fields of a descriptor, in bytes.
std::uint32_t start_of(std::uint64_t descriptor) { return std::uint32_t(descriptor & 0x3fff) << 4; }
std::uint32_t leading_of(std::uint64_t descriptor) { return std::uint32_t(descriptor >> 16 & 0x3fff) << 4; }
std::uint32_t stride_of(std::uint64_t descriptor) { return std::uint32_t(descriptor >> 32 & 0x3fff) << 4; }
unsigned base_offset_of(std::uint64_t descriptor) { return unsigned(descriptor >> 49 & 7); }
int swizzle_of(std::uint64_t descriptor) {
    constexpr int sizes[4] = {0, 128, 64, 32};
    return sizes[descriptor >> 62];
}

// Bytes from the matrix's start, before chunks change places. A piece has 8 rows of the swizzle's bytes.
std::uint32_t place_of(const Operand& operand, int row, int k) {
    const std::uint32_t leading = leading_of(operand.descriptor), stride = stride_of(operand.descriptor);
    const int swizzle = swizzle_of(operand.descriptor);
    if (operand.by_columns) {
        const int across = row * operand.width, line = swizzle ? swizzle : granule;
        const std::uint32_t inside = std::uint32_t(k % 8 * line + across % line);
        if (!swizzle) return across / line * stride + k / 8 * leading + inside;
        return across / line * leading + k / 8 * stride + inside;
    }
    const int along = k * operand.width, line = swizzle ? swizzle : granule;
    const std::uint32_t inside = std::uint32_t(row % 8 * line + along % granule);
    return row / 8 * stride + along / granule * (swizzle ? granule : leading) + inside;
}

template <class Visit>
void each_granule(const Operand& operand, Visit visit) {
    const int depth = depth_bytes / operand.width, step = granule / operand.width;
    for (int row = 0; row < operand.rows; row += operand.by_columns ? step : 1)
        for (int k = 0; k < depth; k += operand.by_columns ? 1 : step)
            visit(address_of(operand, operand.first + row, k) / granule * granule);
}

}  // namespace

std::uint32_t address_of(const Operand& operand, int row, int k) {
    const std::uint32_t address = start_of(operand.descriptor) + place_of(operand, row, k);
    const int swizzle = swizzle_of(operand.descriptor);
    return swizzle ? address ^ (address >> 7 & unsigned(swizzle / granule - 1)) * granule : address;
}

void check_descriptor(const Operand& operand, const char* name, int line) {
    const std::uint64_t descriptor = operand.descriptor;
    const int swizzle = swizzle_of(descriptor);
    const std::uint32_t start = start_of(descriptor);
    if (base_offset_of(descriptor) || descriptor >> 52 & 0x3ff || descriptor >> 14 & 3 || descriptor >> 30 & 3 ||
        descriptor >> 46 & 7)
        fail("descriptor", "the descriptor 0x%016llx of %s in @line:%d@, %s: bits that stand for nothing here are set",
             static_cast<unsigned long long>(descriptor), name, line, place());
    // A row's number in its piece is in bits 7 to 9 of its address: rows of the first piece begin where those are 0.
    const std::uint32_t pattern = swizzle ? 8 * swizzle : granule;
    const std::uint32_t row = start % pattern / (swizzle ? swizzle : granule);
    if (swizzle && row)
        fail("descriptor",
             "%s in @line:%d@, %s: its matrix begins at byte %u of shared memory, in row %u of 8 rows of %d bytes; with a "
             "swizzle of %d bytes it has to begin in the first, so the buffer at a multiple of %u",
             name, line, place(), start, row, swizzle, swizzle, pattern);
    if (operand.by_columns && operand.width != 2)
        fail("descriptor", "%s in @line:%d@, %s: elements of %d bytes are read along k only", name, line, place(),
             operand.width);
    if (stride_of(descriptor) % pattern)
        fail("descriptor",
             "%s in @line:%d@, %s: its stride of %u bytes is no multiple of %u, so rows of further pieces would have other "
             "orders of chunks than its first",
             name, line, place(), stride_of(descriptor), pattern);
    if (swizzle && operand.by_columns && operand.rows * operand.width > swizzle && leading_of(descriptor) % pattern)
        fail("descriptor", "%s in @line:%d@, %s: its leading offset of %u bytes is no multiple of %u", name, line, place(),
             leading_of(descriptor), pattern);
    if (swizzle && !operand.by_columns && start % swizzle + depth_bytes > unsigned(swizzle))
        fail("descriptor", "%s in @line:%d@, %s: 32 bytes of k from byte %u of rows of %d", name, line, place(),
             start % swizzle, swizzle);
    each_granule(operand, [](std::uint32_t address) { shared_pointer(address, granule); });
}

void start_matrices() {
    std::memset(readers, 0, sizeof readers);
    being_read = 0;
}

void begin_reading(const Operand& operand, int line) {
    each_granule(operand, [line](std::uint32_t address) {
        ++readers[current_block()][address / granule], reader_lines[current_block()][address / granule] = line;
        ++being_read;
        note_async_read(shared_pointer(address, granule), granule, line);
    });
}

void end_reading(const Operand& operand, int line) {
    each_granule(operand, [line](std::uint32_t address) {
        --readers[current_block()][address / granule], --being_read;
        note_async_read(shared_pointer(address, granule), granule, line);
    });
}

void check_not_pending(const void* address, std::size_t bytes, const char* verb) {
    if (!being_read) return;
    const Region* region = find_region(address);
    if (!region || !is_shared(*region)) return;
    const std::size_t offset = static_cast<const unsigned char*>(address) - region->data;
    if (offset >= region->bytes) return;
    const std::uint32_t first = region->window + std::uint32_t(offset);
    for (std::uint32_t at = first / granule; at <= (first + bytes - 1) / granule && at < most_granules; ++at) {
        if (!readers[region->block][at]) continue;
        fail("wgmma-wait",
             "byte %zu of `%s` is %s, %s, while the product that was begun in @line:%d@ still reads it: no "
             "wgmma.wait_group, and a barrier after it, comes before",
             offset, region->name, verb, place(), reader_lines[region->block][at]);
    }
}

}  // namespace vtac
