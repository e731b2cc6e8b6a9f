// Memory and a host around a verilated design: one AXI master that reads and writes memory, one AXI-lite slave of registers.
// The ports are those of the Chisel design's XilinxShell; ports that a design lacks are passed over.

#include <cstdint>
#include <cstring>
#include <deque>
#include <random>

#include "Vdut.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

#define SET(port, value)                                        \
    [&](auto& design) {                                         \
        if constexpr (requires { design.port; }) design.port = (value); \
    }(*dut)
#define GET(port, otherwise)                                    \
    [&](auto& design) -> uint64_t {                             \
        if constexpr (requires { design.port; }) return design.port; \
        else return (otherwise);                                \
    }(*dut)

namespace {

constexpr uint64_t kPatience = 1u << 20;
constexpr uint64_t kBeatBytes = 8;

struct Burst {
    uint64_t address, beats, id, ready_at;
};

struct Bench {
    VerilatedContext context;
    Vdut* dut;
    uint8_t* memory;
    uint64_t base, bytes, latency, stall_percent;
    std::mt19937_64 random;
    std::deque<Burst> reads, writes;
    std::deque<uint64_t> answers;
    uint64_t cycle = 0, fault = 0;
    bool has_fault = false, offers_read = false;

    Bench(uint8_t* memory, uint64_t base, uint64_t bytes, uint64_t seed, uint64_t latency, uint64_t stall_percent)
        : dut(new Vdut(&context)), memory(memory), base(base), bytes(bytes), latency(latency),
          stall_percent(stall_percent), random(seed) {
        reset();
    }

    ~Bench() {
        dut->final();
        delete dut;
    }

    bool stalls() { return stall_percent && random() % 100 < stall_percent; }

    uint8_t* at(uint64_t address) {
        if (address >= base && address - base + kBeatBytes <= bytes) return memory + (address - base);
        if (!has_fault) fault = address;
        has_fault = true;
        return nullptr;
    }

    void reset() {
        reads.clear();
        writes.clear();
        answers.clear();
        has_fault = offers_read = false;
        quiet_host();
        SET(ap_rst_n, 0);
        for (int count = 0; count < 16; ++count) step();
        SET(ap_rst_n, 1);
        for (int count = 0; count < 4; ++count) step();
    }

    void quiet_host() {
        SET(s_axi_control_AWVALID, 0);
        SET(s_axi_control_WVALID, 0);
        SET(s_axi_control_BREADY, 1);
        SET(s_axi_control_ARVALID, 0);
        SET(s_axi_control_RREADY, 1);
    }

    // One cycle: what memory offers is set, handshakes are seen before the edge, and counted after it.
    void step() {
        const bool takes_read = !stalls() && reads.size() < 16;
        const bool takes_write = !stalls() && writes.empty();
        const bool takes_data = !writes.empty() && !stalls();
        // An offer stays until it is taken.
        offers_read = !reads.empty() && reads.front().ready_at <= cycle && (offers_read || !stalls());
        SET(m_axi_gmem_ARREADY, takes_read);
        SET(m_axi_gmem_AWREADY, takes_write);
        SET(m_axi_gmem_WREADY, takes_data);
        SET(m_axi_gmem_RVALID, offers_read);
        SET(m_axi_gmem_RRESP, 0);
        SET(m_axi_gmem_RUSER, 0);
        uint64_t word = 0;
        if (offers_read) {
            const Burst& burst = reads.front();
            if (const uint8_t* source = at(burst.address & ~(kBeatBytes - 1))) std::memcpy(&word, source, kBeatBytes);
            SET(m_axi_gmem_RID, burst.id);
            SET(m_axi_gmem_RLAST, burst.beats == 1);
        }
        SET(m_axi_gmem_RDATA, word);
        SET(m_axi_gmem_BVALID, !answers.empty());
        SET(m_axi_gmem_BRESP, 0);
        SET(m_axi_gmem_BUSER, 0);
        if (!answers.empty()) SET(m_axi_gmem_BID, answers.front());
        dut->ap_clk = 0;
        dut->eval();

        const bool read = takes_read && dut->m_axi_gmem_ARVALID;
        const Burst asked{dut->m_axi_gmem_ARADDR, uint64_t(dut->m_axi_gmem_ARLEN) + 1, GET(m_axi_gmem_ARID, 0), cycle + latency};
        const bool taken = offers_read && dut->m_axi_gmem_RREADY;
        const bool write = takes_write && dut->m_axi_gmem_AWVALID;
        const Burst stored{dut->m_axi_gmem_AWADDR, uint64_t(dut->m_axi_gmem_AWLEN) + 1, GET(m_axi_gmem_AWID, 0), 0};
        const bool data = takes_data && dut->m_axi_gmem_WVALID;
        const uint64_t value = dut->m_axi_gmem_WDATA, strobes = GET(m_axi_gmem_WSTRB, 0xFF);
        const bool answered = !answers.empty() && dut->m_axi_gmem_BREADY;

        dut->ap_clk = 1;
        dut->eval();
        ++cycle;

        if (taken) {
            reads.front().address += kBeatBytes;
            if (--reads.front().beats == 0) reads.pop_front();
            offers_read = false;
        }
        if (read) reads.push_back(asked);
        if (answered) answers.pop_front();
        if (data) store(value, strobes);
        if (write) writes.push_back(stored);
    }

    void store(uint64_t value, uint64_t strobes) {
        Burst& burst = writes.front();
        if (uint8_t* target = at(burst.address & ~(kBeatBytes - 1)))
            for (uint64_t byte = 0; byte < kBeatBytes; ++byte)
                if (strobes >> byte & 1) target[byte] = uint8_t(value >> 8 * byte);
        burst.address += kBeatBytes;
        if (--burst.beats == 0) {
            answers.push_back(burst.id);
            writes.pop_front();
        }
    }

    template <typename Condition>
    bool until(Condition condition) {
        for (uint64_t waited = 0; waited < kPatience; ++waited) {
            dut->ap_clk = 0;
            dut->eval();
            const bool holds = condition();
            step();
            if (holds) return true;
        }
        return false;
    }

    bool write_register(uint32_t address, uint32_t value) {
        SET(s_axi_control_AWADDR, address);
        SET(s_axi_control_WDATA, value);
        SET(s_axi_control_WSTRB, 0xF);
        SET(s_axi_control_AWVALID, 1);
        SET(s_axi_control_WVALID, 1);
        bool address_taken = false, data_taken = false, answered = false;
        const bool ended = until([&] {
            address_taken |= dut->s_axi_control_AWVALID && dut->s_axi_control_AWREADY;
            data_taken |= dut->s_axi_control_WVALID && dut->s_axi_control_WREADY;
            return address_taken || data_taken;
        });
        for (uint64_t waited = 0; ended && waited < kPatience && !answered; ++waited) {
            if (address_taken) SET(s_axi_control_AWVALID, 0);
            if (data_taken) SET(s_axi_control_WVALID, 0);
            dut->ap_clk = 0;
            dut->eval();
            address_taken |= dut->s_axi_control_AWVALID && dut->s_axi_control_AWREADY;
            data_taken |= dut->s_axi_control_WVALID && dut->s_axi_control_WREADY;
            answered = dut->s_axi_control_BVALID;
            step();
        }
        quiet_host();
        return answered;
    }

    bool read_register(uint32_t address, uint32_t* value) {
        SET(s_axi_control_ARADDR, address);
        SET(s_axi_control_ARVALID, 1);
        bool ended = until([&] { return bool(dut->s_axi_control_ARREADY); });
        SET(s_axi_control_ARVALID, 0);
        ended = ended && until([&] {
            *value = dut->s_axi_control_RDATA;
            return bool(dut->s_axi_control_RVALID);
        });
        quiet_host();
        return ended;
    }
};

}  // namespace

extern "C" {

void* bench_open(uint8_t* memory, uint64_t base, uint64_t bytes, uint64_t seed, uint64_t latency, uint64_t stall_percent) {
    return new Bench(memory, base, bytes, seed, latency, stall_percent);
}
void bench_close(void* bench) { delete static_cast<Bench*>(bench); }
void bench_reset(void* bench) { static_cast<Bench*>(bench)->reset(); }
int bench_write(void* bench, uint32_t address, uint32_t value) {
    return static_cast<Bench*>(bench)->write_register(address, value);
}
int bench_read(void* bench, uint32_t address, uint32_t* value) {
    return static_cast<Bench*>(bench)->read_register(address, value);
}
void bench_step(void* bench, uint64_t cycles) {
    while (cycles--) static_cast<Bench*>(bench)->step();
}
int bench_fault(void* bench, uint64_t* address) {
    *address = static_cast<Bench*>(bench)->fault;
    return static_cast<Bench*>(bench)->has_fault;
}

}
