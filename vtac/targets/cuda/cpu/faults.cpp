// Every way in which a kernel can fail, told with the block, the thread and the array.
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "events.h"
#include "runtime.h"

namespace vtac {

namespace {

constexpr int fault_status = 3;
// The ordinal of the first block known to fail, in memory that all workers see; 0 while none has.
std::uint32_t alone = 0, *first_failed = &alone;

void note_failure(std::uint32_t ordinal) {
    std::uint32_t known = __atomic_load_n(first_failed, __ATOMIC_SEQ_CST);
    while ((!known || ordinal < known) &&
           !__atomic_compare_exchange_n(first_failed, &known, ordinal, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

alignas(64) unsigned char signal_stack[64 * 1024];

// x86-64 tells reads from writes in the page fault's error code; elsewhere both are an access.
const char* kind_of_access(const void* context) {
#if defined(__x86_64__) && defined(REG_ERR)
    return static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2 ? "write" : "read";
#else
    (void)context;
    return "access";
#endif
}

void report_region(const Region& region, const unsigned char* address, const char* access) {
    if (region.kind == Region::stacks)
        fail("stack-overflow", "the local variables of a thread exceed its stack, %s", place());
    if (region.kind == Region::input && address >= region.pages && address < region.pages + region.page_bytes)
        fail("write-to-input", "a write to input `%s` at byte %td, %s", region.name, address - region.data, place());
    const bool before = address < region.data;
    const std::size_t distance = before ? region.data - address : address - region.data - region.bytes;
    fail("out-of-bounds", "a %s %zu bytes %s of `%s` (%zu bytes), %s", access, distance,
         before ? "before the start" : "past the end", region.name, region.bytes, place());
}

void on_signal(int number, siginfo_t* info, void* context) {
    const auto* address = static_cast<const unsigned char*>(info->si_addr);
    if (number == SIGSEGV || number == SIGBUS) {
        if (const Region* region = find_region(address)) report_region(*region, address, kind_of_access(context));
        fail("out-of-bounds", "a %s of address %p, which belongs to no array, %s", kind_of_access(context), info->si_addr,
             place());
    }
    fail("crash", "%s, %s", strsignal(number), place());
}

}  // namespace

void fail(const char* kind, const char* format, ...) {
    char text[2048];
    note_failure(epochs.block_ordinal);
    const int head = std::snprintf(text, sizeof text, "vtac-fault %u %s ", epochs.block_ordinal, kind);
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text + head, sizeof text - head - 1, format, arguments);
    va_end(arguments);
    std::strcat(text, "\n");
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0) _exit(fault_status + 1);
    _exit(fault_status);
}

void share_failures() {
    void* shared = mmap(nullptr, sizeof alone, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED) first_failed = static_cast<std::uint32_t*>(shared);
}

bool has_failed_before(std::uint32_t ordinal) {
    const std::uint32_t known = __atomic_load_n(first_failed, __ATOMIC_SEQ_CST);
    return known && known < ordinal;
}

const char* place() {
    static char text[160];
    const int thread = current_thread();
    if (thread < 0) {
        std::snprintf(text, sizeof text, "in block (%u, %u, %u)", blockIdx.x, blockIdx.y, blockIdx.z);
    } else {
        const uint3 index = index_of_thread(thread);
        std::snprintf(text, sizeof text, "in block (%u, %u, %u), thread (%u, %u, %u)", blockIdx.x, blockIdx.y,
                      blockIdx.z, index.x, index.y, index.z);
    }
    return text;
}

void install_fault_handlers() {
    stack_t stack = {};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigaction(number, &action, nullptr);
}

}  // namespace vtac

// The checks that -fsanitize=bounds,alignment compiles in call these; the records are the compilers'.
namespace {

struct SourcePlace {
    const char* file;
    std::uint32_t line, column;
};

struct TypeName {
    std::uint16_t kind, info;
    char name[1];
};

struct OutOfBounds {
    SourcePlace place;
    const TypeName *array, *index;
};

struct TypeMismatch {
    SourcePlace place;
    const TypeName* type;
    unsigned char log_alignment, access;
};

[[noreturn]] void report_index(OutOfBounds* data, unsigned long index) {
    vtac::fail("out-of-bounds", "%s:%u: index %ld of an array of type %s, %s", data->place.file, data->place.line,
               long(index), data->array->name, vtac::place());
}

[[noreturn]] void report_mismatch(TypeMismatch* data, unsigned long address) {
    if (!address) vtac::fail("out-of-bounds", "%s:%u: a null pointer, %s", data->place.file, data->place.line, vtac::place());
    vtac::fail("misaligned", "%s:%u: address 0x%lx accessed as %s needs a multiple of %d bytes, %s", data->place.file,
               data->place.line, address, data->type->name, 1 << data->log_alignment, vtac::place());
}

}  // namespace

extern "C" {
void __ubsan_handle_out_of_bounds(OutOfBounds* data, unsigned long index) { report_index(data, index); }
void __ubsan_handle_out_of_bounds_abort(OutOfBounds* data, unsigned long index) { report_index(data, index); }
void __ubsan_handle_type_mismatch_v1(TypeMismatch* data, unsigned long address) { report_mismatch(data, address); }
void __ubsan_handle_type_mismatch_v1_abort(TypeMismatch* data, unsigned long address) { report_mismatch(data, address); }
}
