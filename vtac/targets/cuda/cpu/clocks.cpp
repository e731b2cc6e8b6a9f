// What mbarriers order: vector clocks. A thread that arrives tells all that it did and knows; who waits for the phase
// gets to know it, and so do the lanes of its warp at their next warp barrier.
#include <cstring>

#include "mbarriers.h"
#include "shadow.h"

namespace vtac {

std::uint32_t own_times[first_warp], fences[first_warp];
bool waits_for_mbarriers = false;

namespace {

// What happened before which epoch is known, by thread, of whom.
std::uint32_t known[first_warp][authors];
bool has_news[most_warps];

// Visits runs of authors: the threads that there are, their warps, and what copies on behalf of mbarriers.
template <class Visit>
void each_run(Visit visit) {
    const int threads = cluster.size * cluster.threads;
    visit(0, threads);
    visit(first_warp, first_warp + (threads + lanes_per_warp - 1) / lanes_per_warp);
    visit(first_agent, first_agent + mbarriers_in_use());
}

void learn(std::uint32_t* own, const std::uint32_t* other) {
    each_run([=](int begin, int end) {
        for (int author = begin; author < end; ++author)
            if (own[author] < other[author]) own[author] = other[author];
    });
}

// What threads know, known to all of them.
void share(int first, int end) {
    for (int thread = first + 1; thread < end; ++thread) learn(known[first], known[thread]);
    for (int thread = first + 1; thread < end; ++thread)
        each_run([=](int begin, int last) {
            std::memcpy(known[thread] + begin, known[first] + begin, (last - begin) * sizeof(std::uint32_t));
        });
}

}  // namespace

bool knows(int who, int author, std::uint32_t epoch) {
    // What a warp does together it does once the lane that tells of it has come so far.
    return epoch < known[who < first_warp ? who : current_thread()][author];
}

void tell(int thread, Clock& clock) {
    const int warp = thread / lanes_per_warp, first = warp * lanes_per_warp;
    own_times[thread] = next_epoch();
    learn(clock.known, known[thread]);
    const std::uint32_t common = epochs.warps[warp];
    for (int lane = first; lane < first + lanes_per_warp; ++lane)
        if (clock.known[lane] < common) clock.known[lane] = common;
    if (clock.known[first_warp + warp] < common) clock.known[first_warp + warp] = common;
    clock.known[thread] = own_times[thread];
    // An access of an unknown lane is told of once all lanes have been.
    clock.lanes[warp] |= 1u << thread % lanes_per_warp;
    if (clock.lanes[warp] == 0xffffffffu) clock.known[first_warp + warp] = own_times[thread], clock.lanes[warp] = 0;
}

void tell_of_agent(int agent, Clock& clock) { clock.known[agent] = next_epoch(); }

void hear(int thread, const Clock& clock) {
    waits_for_mbarriers = true;
    has_news[thread / lanes_per_warp] = true;
    learn(known[thread], clock.known);
}

void share_knowledge(int warp) {
    if (!has_news[warp]) return;
    has_news[warp] = false;
    share(warp * lanes_per_warp, (warp + 1) * lanes_per_warp);
}

void share_knowledge_of_block(int rank) {
    const int first = rank * cluster.threads, end = first + cluster.threads;
    for (int thread = first; thread < end; ++thread) known[first][thread] = epochs.now;
    for (int warp = first / lanes_per_warp; warp < end / lanes_per_warp; ++warp) known[first][first_warp + warp] = epochs.now;
    for (int agent = first_agent; agent < first_agent + mbarriers_in_use(); ++agent)
        if (block_of_agent(agent) == rank) known[first][agent] = epochs.now;
    share(first, end);
}

void fence_proxies() {
    const int thread = current_thread();
    own_times[thread] = fences[thread] = next_epoch();
    fence_mbarriers();
}

}  // namespace vtac
