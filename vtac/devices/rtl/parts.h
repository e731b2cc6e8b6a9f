// What the bench is made of: bursts of the memory bus, channels that stall, the cycles that become a waveform.
#pragma once

#include <cstdint>
#include <random>

constexpr uint64_t kBeatBytes = 8;

constexpr uint64_t kMostTraced = 1u << 20;

struct Burst {
    uint64_t address, beats, id, ready_at;
};

// Whether a channel is not ready in a cycle: by chance, each channel with its own.
struct Stall {
    uint64_t percent = 0;
    std::mt19937_64 random;

    bool operator()() { return percent && random() % 100 < percent; }
};

// Cycles that are written as a waveform: from when the first instruction has been asked for and a cycle has come, until
// what is behind the last has been asked for and another cycle has come. Cycles count from the launch.
struct Window {
    uint64_t first = 0, behind = 0, from = 0, to = 0, traced = 0;
    bool has_first = false, has_behind = false, is_open = false;

    void sees(const Burst& burst) {
        has_first |= burst.address <= first && first < burst.address + kBeatBytes * burst.beats;
        has_behind |= burst.address <= behind && behind < burst.address + kBeatBytes * burst.beats;
    }
    bool covers(uint64_t since_launch) {
        return is_open && has_first && since_launch >= from && !(has_behind && since_launch >= to) && traced < kMostTraced;
    }
};
