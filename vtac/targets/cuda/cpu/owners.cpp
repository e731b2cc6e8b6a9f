// What blocks do to the outputs, which nothing orders: the launch's blocks may meet in values that they agree on only.
#include <sched.h>

#include <cstring>

#include "shadow.h"

namespace vtac {

namespace {

constexpr Event value_is_known = copy_in_flight;  // of owners that write

// Owners hold the block's ordinal in place of the epoch.
Event owned(Event event) {
    return Event(epochs.block_ordinal) << epoch_shift | (event & ((Event(1) << epoch_shift) - 1));
}

void meet_owner(const Region& region, std::size_t element, Event owner, Touch before, const Access& access) {
    if (!owner || epoch_of(owner) == epochs.block_ordinal || (owner & access.event & is_atomic)) return;
    report_race_of_blocks(region, element * region.shape.element_bytes, {before, owner}, access);
}

// The first owner stays; says who it is.
Event claim(Event* owner, Event event) {
    Event expected = 0;
    return __atomic_compare_exchange_n(owner, &expected, event, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? event
                                                                                                          : expected;
}

std::uint64_t value_of(const Region& region, std::size_t element) {
    std::uint64_t value = 0;
    std::memcpy(&value, region.data + element * region.shape.element_bytes, region.shape.element_bytes);
    return value;
}

// Whether another block, the element's owner, has written the same; it may be about to say what.
bool repeats(const Owners& owners, std::size_t element, std::uint64_t value) {
    while (!(__atomic_load_n(owners.writers + element, __ATOMIC_SEQ_CST) & value_is_known)) sched_yield();
    return __atomic_load_n(owners.values + element, __ATOMIC_SEQ_CST) == value;
}

void own_written(const Region& region, const Owners& owners, std::size_t element, const Access& access) {
    const std::uint64_t value = value_of(region, element);
    owners.latest_writers[element] = epochs.block_ordinal;
    const Event owner = claim(owners.writers + element, owned(access.event));
    if (epoch_of(owner) != epochs.block_ordinal) {
        if (owner & access.event & is_atomic || repeats(owners, element, value)) return;
        meet_owner(region, element, owner, Touch::write, access);
    }
    __atomic_store_n(owners.values + element, value, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(owners.writers + element, value_is_known, __ATOMIC_SEQ_CST);
    meet_owner(region, element, __atomic_load_n(owners.readers + element, __ATOMIC_SEQ_CST), Touch::read, access);
    meet_owner(region, element, __atomic_load_n(owners.other_readers + element, __ATOMIC_SEQ_CST), Touch::read, access);
}

void own_read(const Region& region, const Owners& owners, std::size_t element, const Access& access) {
    if (owners.latest_writers[element] == epochs.block_ordinal) return;
    const Event first = claim(owners.readers + element, owned(access.event));
    if (epoch_of(first) != epochs.block_ordinal) claim(owners.other_readers + element, owned(access.event));
    meet_owner(region, element, __atomic_load_n(owners.writers + element, __ATOMIC_SEQ_CST), Touch::write, access);
}

}  // namespace

Owners owners_of(const Region& region) {
    const std::size_t elements = region.bytes / region.shape.element_bytes;
    auto* owners = reserve<Event>(4 * elements, MAP_SHARED);
    return {owners, owners + elements, owners + 2 * elements, owners + 3 * elements,
            reserve<std::uint32_t>(elements, MAP_PRIVATE)};
}

void enter_owners(const Region& region, const Owners& owners, std::uintptr_t address, std::size_t bytes,
                  const Access& access) {
    const std::uintptr_t data = reinterpret_cast<std::uintptr_t>(region.data);
    if (address < data || address + bytes > data + region.bytes) return;
    const std::size_t size = region.shape.element_bytes, end = (address + bytes - data + size - 1) / size;
    for (std::size_t i = (address - data) / size; i < end; ++i)
        access.touch == Touch::write ? own_written(region, owners, i, access) : own_read(region, owners, i, access);
}

}  // namespace vtac
