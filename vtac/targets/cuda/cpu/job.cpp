// Reads a job, runs its blocks, writes its outputs. The job file is plain words:
//   launch gx gy gz bx by bz shared_bytes order seed pattern workers races cluster
//   parameters n, then n times: name input|output dtype bytes file element_bytes rank extents...
//   maps n, then n times: parameter's number, element_bytes, swizzle, nan, dimensions of a bounding box of pixels, rank,
//     and rank times: extent stride box step, then for each dimension of a bounding box: lower upper
//   blocks n, then n linear block numbers, those of a cluster one after the other by rank
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "clusters.h"
#include "runtime.h"

namespace vtac {

namespace {

constexpr int max_parameters = 64;

struct Argument {
    char name[128], role[16], dtype[16], file[64];
    unsigned long bytes;
    Shape shape;
    Region* region;
};

struct Job {
    Launch launch;
    unsigned pattern, workers;
    int parameter_count;
    Argument parameters[max_parameters];
    void* addresses[max_parameters + most_tensor_maps];
    int map_count;
    alignas(64) unsigned char maps[most_tensor_maps][128];
    unsigned long block_count;
    unsigned long* blocks;
};

Job job;

[[noreturn]] void bad_job(const char* what) { fail("job", "the job file is not as expected at its %s", what); }

int map_arrays[most_tensor_maps];

void read_maps(std::FILE* file) {
    if (std::fscanf(file, " maps %d", &job.map_count) != 1 || job.map_count > most_tensor_maps) bad_job("tensor maps");
    for (int i = 0; i < job.map_count; ++i) {
        TensorMapRecord& map = tensor_map(i);
        int nan;
        if (std::fscanf(file, " %d %u %u %d %d %d", &map_arrays[i], &map.element_bytes, &map.swizzle, &nan, &map.space,
                        &map.rank) != 6 ||
            map.rank > most_box_dimensions || map_arrays[i] >= job.parameter_count)
            bad_job("tensor maps");
        map.fills_with_nan = nan;
        std::strcpy(map.name, job.parameters[map_arrays[i]].name);
        for (int d = 0; d < map.rank; ++d) {
            unsigned long stride;
            if (std::fscanf(file, " %lu %lu %u %u", &map.extents[d], &stride, &map.box[d], &map.element_strides[d]) != 4)
                bad_job("tensor maps");
            if (d) map.strides[d - 1] = stride;
        }
        for (int d = 0; d < map.space; ++d)
            if (std::fscanf(file, " %d %d", &map.lower[d], &map.upper[d]) != 2) bad_job("tensor maps");
    }
}

// The maps follow the arrays among the kernel's parameters.
void load_maps() {
    for (int i = 0; i < job.map_count; ++i) {
        tensor_map(i).base = job.parameters[map_arrays[i]].region->data;
        tensor_map_parameter(i, job.maps[i]);
        job.addresses[job.parameter_count + i] = job.maps[i];
    }
}

void read_job(const char* path) {
    std::FILE* file = std::fopen(path, "r");
    if (!file) bad_job("start");
    Launch& launch = job.launch;
    unsigned g[3], b[3], races;
    if (std::fscanf(file, " launch %u %u %u %u %u %u %lu %lu %lu %u %u %u %d", &g[0], &g[1], &g[2], &b[0], &b[1], &b[2],
                    &launch.dynamic_bytes, &launch.order, &launch.seed, &job.pattern, &job.workers,
                    &races, &launch.cluster) != 13 ||
        launch.cluster < 1)
        bad_job("launch");
    launch.finds_races = races;
    launch.grid = {g[0], g[1], g[2]};
    launch.block = {b[0], b[1], b[2]};
    if (std::fscanf(file, " parameters %d", &job.parameter_count) != 1 || job.parameter_count > max_parameters)
        bad_job("parameters");
    for (int i = 0; i < job.parameter_count; ++i) {
        Argument& p = job.parameters[i];
        if (std::fscanf(file, " %127s %15s %15s %lu %63s", p.name, p.role, p.dtype, &p.bytes, p.file) != 5 ||
            std::fscanf(file, " %lu %d", &p.shape.element_bytes, &p.shape.rank) != 2 || p.shape.rank > max_rank)
            bad_job("parameters");
        for (int d = 0; d < p.shape.rank; ++d)
            if (std::fscanf(file, " %lu", &p.shape.extents[d]) != 1) bad_job("parameters");
    }
    read_maps(file);
    if (std::fscanf(file, " blocks %lu", &job.block_count) != 1 || job.block_count % launch.cluster) bad_job("blocks");
    job.blocks = static_cast<unsigned long*>(std::calloc(job.block_count + 1, sizeof(unsigned long)));
    for (unsigned long i = 0; i < job.block_count; ++i)
        if (std::fscanf(file, " %lu", &job.blocks[i]) != 1) bad_job("blocks");
    std::fclose(file);
}

void check_signature(const Kernel& kernel) {
    const int all = job.parameter_count + job.map_count;
    if (kernel.count != all) fail("signature", "the kernel has %d parameters, the launch record %d", kernel.count, all);
    for (int i = job.parameter_count; i < kernel.count; ++i)
        if (std::strcmp(kernel.parameters[i].dtype, "tensor map"))
            fail("signature", "parameter %d of the kernel is a pointer to %s, the launch record's a tensor map of `%s`", i,
                 kernel.parameters[i].dtype, tensor_map(i - job.parameter_count).name);
    for (int i = 0; i < job.parameter_count; ++i) {
        const Argument& p = job.parameters[i];
        if (std::strcmp(kernel.parameters[i].dtype, p.dtype))
            fail("signature", "parameter %d of the kernel points to %s, the launch record's `%s` to %s", i,
                 kernel.parameters[i].dtype, p.name, p.dtype);
        if (!std::strcmp(p.role, "output") && kernel.parameters[i].is_constant)
            fail("signature", "parameter %d of the kernel points to const, but the launch record's `%s` is an output", i,
                 p.name);
    }
}

void load_parameters() {
    for (int i = 0; i < job.parameter_count; ++i) {
        Argument& p = job.parameters[i];
        const bool is_output = !std::strcmp(p.role, "output");
        p.region = &allocate_guarded(is_output ? Region::output : Region::input, p.name, p.bytes, job.launch.side,
                                     is_output, device_alignment, 0);
        p.region->shape = p.shape;
        job.addresses[i] = p.region->data;
        if (is_output) {
            if (finds_races) shadow_region(*p.region);
            poison(*p.region, static_cast<unsigned char>(job.pattern));
            continue;
        }
        std::FILE* file = std::fopen(p.file, "rb");
        if (!file || std::fread(p.region->data, 1, p.bytes, file) != p.bytes) bad_job("input arrays");
        std::fclose(file);
        make_read_only(*p.region);
    }
}

void store_outputs() {
    for (int i = 0; i < job.parameter_count; ++i) {
        const Argument& p = job.parameters[i];
        if (std::strcmp(p.role, "output")) continue;
        std::FILE* file = std::fopen(p.file, "wb");
        if (!file || std::fwrite(p.region->data, 1, p.bytes, file) != p.bytes || std::fclose(file))
            fail("job", "cannot write the output `%s`", p.name);
    }
}

void run_blocks(unsigned worker) {
    install_fault_handlers();
    prepare_shared(job.launch);
    start_fibers(job.launch);
    start_copies(cluster.size * cluster.threads);
    const unsigned long size = cluster.size, count = job.block_count / size;
    for (unsigned long i = worker; i < count && !has_failed_before(std::uint32_t(i * size + 1)); i += job.workers)
        run_blocks_at_once(job.blocks + i * size, std::uint32_t(i * size + 1));
}

// Clusters are independent, so processes share them out; outputs lie in memory that all see. The parent only waits: what
// is told is the fault of the first block that has one, whichever process comes to its own sooner.
int run_workers() {
    if (job.workers == 1) return run_blocks(0), 0;
    pid_t children[256];
    for (unsigned worker = 0; worker < job.workers; ++worker) {
        children[worker] = fork();
        if (children[worker] < 0) fail("job", "cannot start worker %u", worker);
        if (children[worker]) continue;
        run_blocks(worker);
        _exit(0);
    }
    int worst = 0;
    for (unsigned worker = 0; worker < job.workers; ++worker) {
        int status = 0;
        waitpid(children[worker], &status, 0);
        if (!WIFEXITED(status)) worst = 4;
        else if (WEXITSTATUS(status) > worst) worst = WEXITSTATUS(status);
    }
    return worst;
}

}  // namespace

unsigned long block_number(std::uint32_t ordinal) { return job.blocks[ordinal - 1]; }

int run(int argc, char** argv, const Kernel& kernel) {
    if (argc != 2) bad_job("path");
    read_job(argv[1]);
    if (job.workers < 1 || job.workers > 256) bad_job("number of workers");
    check_signature(kernel);
    job.launch.kernel = &kernel;
    job.launch.arguments = job.addresses;
    finds_races = job.launch.finds_races;
    job.launch.side = job.launch.order % 2 ? Side::against_start : Side::against_end;
    load_parameters();
    load_maps();
    share_failures();
    const int status = run_workers();
    if (status == 0) store_outputs();
    return status;
}

}  // namespace vtac
