// The rules: what orders the accesses of one byte, and which of them have to be remembered.
#include <initializer_list>

#include "shadow.h"

namespace vtac {

Epochs epochs = {};

namespace {

void note_read(Cell& cell, Event event) {
    const int who = who_of(event);
    if (!cell.read || is_past(cell.read, block_of(who))) {
        cell.read = event, cell.other_read = 0;
        return;
    }
    const int warp = warp_of(who_of(cell.read));
    if (who_of(cell.read) == who) {
        cell.read = event;
        return;
    }
    if (cell.other_read && warp_of(who_of(cell.other_read)) != warp) return;
    if (warp_of(who) != warp) {
        cell.other_read = event;
    } else if (warp < first_warp / lanes_per_warp && epoch_of(cell.read) < epochs.warps[warp]) {
        cell.read = event, cell.other_read = 0;
    } else if (!cell.other_read) {
        cell.other_read = event;
    }
}

}  // namespace

Access enter(Cell& cell, const Access& access) {
    const Event event = access.event;
    if (access.touch == Touch::read) {
        const bool may_see_either = !meet_peacefully(cell.write, event);
        if (may_see_either && !(cell.repeated && is_ordered(cell.repeated, who_of(event)))) return {Touch::write, cell.write};
        for (const Event atomic : {cell.read, cell.other_read})
            if ((atomic & is_atomic) && !is_ordered(atomic, who_of(event))) return {Touch::write, atomic};
        note_read(cell, event);
        return {};
    }
    for (const Event write : {cell.write, cell.repeated}) {
        if (meet_peacefully(write, event)) continue;
        cell.repeated = event;
        return {Touch::write, write};
    }
    for (const Event read : {cell.read, cell.other_read}) {
        if (meet_peacefully(read, event)) continue;
        cell.repeated = event;
        return {read & is_atomic ? Touch::write : Touch::read, read};
    }
    cell.write = event;
    cell.repeated = 0;
    if (event & is_atomic) {
        note_read(cell, event);  // atomic updates gather like reads: a later access meets any of them
    } else {
        cell.read = cell.other_read = 0;
    }
    return {};
}

std::uint32_t next_epoch() {
    if (epochs.now >= last_epoch - 1) fail("limit", "more than %u barriers in one run", last_epoch);
    return ++epochs.now;
}

void start_epochs() {
    epochs.start = epochs.cleared = next_epoch();
    for (std::uint32_t& barrier : epochs.block_barriers) barrier = epochs.now;
    for (std::uint32_t& warp : epochs.warps) warp = epochs.now;
    forget_chunks();
}

void pass_block_barrier(int rank) {
    epochs.block_barriers[rank] = next_epoch();
    const int warps = cluster.size == 1 ? most_warps : cluster.threads / lanes_per_warp;
    for (int warp = rank * warps; warp < (rank + 1) * warps; ++warp) epochs.warps[warp] = epochs.now;
    if (cluster.size == 1) epochs.cleared = epochs.now;
    else share_knowledge_of_block(rank);
}

void pass_warp_barrier(int warp) {
    epochs.warps[warp] = next_epoch();
    share_knowledge(warp);
}

}  // namespace vtac
