// Memory and a host around a verilated design: one AXI master that reads and writes memory, one slave of registers.
// ports.h says what the design calls its ports, MEM_ARVALID and so on; ports that a design lacks are passed over.

#include <cstdint>
#include <cstring>
#include <deque>

#include "Vdut.h"
#include "parts.h"
#include "ports.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

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

struct Bench {
    VerilatedContext context;
    Vdut* dut;
    uint8_t* memory;
    uint64_t base, bytes, latency;
    Stall stall_ar, stall_r, stall_aw, stall_w, stall_b;
    std::deque<Burst> reads, writes;
    std::deque<uint64_t> answers;
    uint64_t cycle = 0, launched = 0, fault = 0;
    bool has_fault = false, offers_read = false, offers_answer = false;
    Window window;
#if VM_TRACE
    VerilatedVcdC wave;
#endif

    static_assert(sizeof(Vdut::MEM_RDATA) == kBeatBytes, "the bench has a memory bus of 64 bits, this design has another");

    Bench(uint8_t* memory, uint64_t base, uint64_t bytes, uint64_t seed, uint64_t latency, const uint64_t* stalls)
        : dut(new Vdut(&context)), memory(memory), base(base), bytes(bytes), latency(latency) {
        for (Stall* stall : {&stall_ar, &stall_r, &stall_aw, &stall_w, &stall_b}) {
            stall->percent = *stalls++;
            stall->random.seed(seed++);
        }
#if VM_TRACE
        context.traceEverOn(true);
        dut->trace(&wave, 99);
#endif
        reset();
    }

    ~Bench() {
        dut->final();
        delete dut;
    }

    bool begin_window(const char* path, const Window& wanted) {
#if VM_TRACE
        wave.open(path);
        window = wanted;
        window.is_open = wave.isOpen();
#endif
        return window.is_open;
    }

    uint64_t end_window() {
#if VM_TRACE
        if (window.is_open) wave.close();
#endif
        window.is_open = false;
        return window.traced;
    }

    void trace(bool is_high) {
#if VM_TRACE
        if (!window.covers(cycle - launched)) return;
        wave.dump(2 * cycle + is_high);
        window.traced += is_high;
#endif
    }

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
        has_fault = offers_read = offers_answer = false;
        quiet_host();
        SET(RESET, RESET_LEVEL);
        for (int count = 0; count < 16; ++count) step();
        SET(RESET, !RESET_LEVEL);
        for (int count = 0; count < 4; ++count) step();
    }

    void quiet_host() {
        SET(HOST_AWSIZE, 2);
        SET(HOST_ARSIZE, 2);
        SET(HOST_AWBURST, 1);
        SET(HOST_ARBURST, 1);
        SET(HOST_WLAST, 1);
        SET(HOST_AWVALID, 0);
        SET(HOST_WVALID, 0);
        SET(HOST_BREADY, 1);
        SET(HOST_ARVALID, 0);
        SET(HOST_RREADY, 1);
    }

    // One cycle: what memory offers is set, handshakes are seen before the edge, and counted after it.
    void step() {
        const bool takes_read = !stall_ar() && reads.size() < 16;
        const bool takes_write = !stall_aw() && writes.empty();
        const bool takes_data = !writes.empty() && !stall_w();
        // An offer stays until it is taken.
        offers_read = !reads.empty() && reads.front().ready_at <= cycle && (offers_read || !stall_r());
        offers_answer = !answers.empty() && (offers_answer || !stall_b());
        SET(MEM_ARREADY, takes_read);
        SET(MEM_AWREADY, takes_write);
        SET(MEM_WREADY, takes_data);
        SET(MEM_RVALID, offers_read);
        SET(MEM_RRESP, 0);
        SET(MEM_RUSER, 0);
        uint64_t word = 0;
        if (offers_read) {
            const Burst& burst = reads.front();
            if (const uint8_t* source = at(burst.address & ~(kBeatBytes - 1))) std::memcpy(&word, source, kBeatBytes);
            SET(MEM_RID, burst.id);
            SET(MEM_RLAST, burst.beats == 1);
        }
        SET(MEM_RDATA, word);
        SET(MEM_BVALID, offers_answer);
        SET(MEM_BRESP, 0);
        SET(MEM_BUSER, 0);
        if (offers_answer) SET(MEM_BID, answers.front());
        dut->CLOCK = 0;
        dut->eval();
        trace(false);

        const bool read = takes_read && dut->MEM_ARVALID;
        const Burst asked{dut->MEM_ARADDR, uint64_t(dut->MEM_ARLEN) + 1, GET(MEM_ARID, 0), cycle + latency};
        const bool taken = offers_read && dut->MEM_RREADY;
        const bool write = takes_write && dut->MEM_AWVALID;
        const Burst stored{dut->MEM_AWADDR, uint64_t(dut->MEM_AWLEN) + 1, GET(MEM_AWID, 0), 0};
        const bool data = takes_data && dut->MEM_WVALID;
        const uint64_t value = dut->MEM_WDATA, strobes = GET(MEM_WSTRB, 0xFF);
        const bool answered = offers_answer && dut->MEM_BREADY;

        dut->CLOCK = 1;
        dut->eval();
        trace(true);
        ++cycle;

        if (taken) {
            reads.front().address += kBeatBytes;
            if (--reads.front().beats == 0) reads.pop_front();
            offers_read = false;
        }
        if (read) reads.push_back(asked);
        if (read) window.sees(asked);
        if (answered) answers.pop_front();
        if (answered) offers_answer = false;
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
            dut->CLOCK = 0;
            dut->eval();
            const bool holds = condition();
            step();
            if (holds) return true;
        }
        return false;
    }

    bool write_register(uint32_t address, uint32_t value) {
        if (address == 0 && value == 1) launched = cycle;
        SET(HOST_AWADDR, address);
        SET(HOST_WDATA, value);
        SET(HOST_WSTRB, 0xF);
        SET(HOST_AWVALID, 1);
        SET(HOST_WVALID, 1);
        bool address_taken = false, data_taken = false, answered = false;
        const bool ended = until([&] {
            address_taken |= dut->HOST_AWVALID && dut->HOST_AWREADY;
            data_taken |= dut->HOST_WVALID && dut->HOST_WREADY;
            return address_taken || data_taken;
        });
        for (uint64_t waited = 0; ended && waited < kPatience && !answered; ++waited) {
            if (address_taken) SET(HOST_AWVALID, 0);
            if (data_taken) SET(HOST_WVALID, 0);
            dut->CLOCK = 0;
            dut->eval();
            address_taken |= dut->HOST_AWVALID && dut->HOST_AWREADY;
            data_taken |= dut->HOST_WVALID && dut->HOST_WREADY;
            answered = dut->HOST_BVALID;
            step();
        }
        quiet_host();
        return answered;
    }

    bool read_register(uint32_t address, uint32_t* value) {
        SET(HOST_ARADDR, address);
        SET(HOST_ARVALID, 1);
        bool ended = until([&] { return bool(dut->HOST_ARREADY); });
        SET(HOST_ARVALID, 0);
        ended = ended && until([&] {
            *value = dut->HOST_RDATA;
            return bool(dut->HOST_RVALID);
        });
        quiet_host();
        return ended;
    }
};

}  // namespace

extern "C" {

// `stalls`: percents of AR, R, AW, W and B.
void* bench_open(uint8_t* memory, uint64_t base, uint64_t bytes, uint64_t seed, uint64_t latency, const uint64_t* stalls) {
    return new Bench(memory, base, bytes, seed, latency, stalls);
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
// Addresses of the first instruction and of what is behind the last, cycles since the launch.
int bench_begin_window(void* bench, const char* path, uint64_t first, uint64_t behind, uint64_t from, uint64_t to) {
    return static_cast<Bench*>(bench)->begin_window(path, Window{first, behind, from, to});
}
uint64_t bench_end_window(void* bench) { return static_cast<Bench*>(bench)->end_window(); }
int bench_fault(void* bench, uint64_t* address) {
    *address = static_cast<Bench*>(bench)->fault;
    return static_cast<Bench*>(bench)->has_fault;
}

}
