// A stand-in for libcuda: one device whose memory is the host's. It writes down what it is asked for, refuses what the
// driver would, counts what is not given back, and hands launches to a function of the test.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
       INVALID_HANDLE = 400, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, STREAM_CAPTURE_UNSUPPORTED = 900 };
enum { STREAM = 1, EVENT, GRAPH, EXECUTABLE, MODULE, FUNCTION };
enum { MOST = 64, MOST_PARAMETERS = 32, MOST_LAUNCHES = 256, MOST_TEXT = 1 << 16 };

struct launch { struct object *function; unsigned grid[3], block[3], shared; uint64_t parameters[MOST_PARAMETERS]; };
struct object {
  int kind, live, count, limit, parameters;
  float time;
  char name[MOST], text[1024];
  struct object *graph;
  struct launch *launches;
};
struct piece { char *start; size_t bytes; };

typedef void (*on_launch)(const char *kernel, const unsigned *grid, const unsigned *block, unsigned shared,
                          const uint64_t *parameters, int count);

static char text[MOST_TEXT];
static size_t written;
static struct object objects[1024];
static int used, depth, lost, fail_status, version = 13000;
static char fail_name[MOST];
static struct piece pieces[256];
static on_launch runs;
static float now;

static void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  written += vsnprintf(text + written, MOST_TEXT - written, format, arguments);
  written += snprintf(text + written, MOST_TEXT - written, "\n");
  va_end(arguments);
}

// What the test asks and sets.
const char *stub_log(void) { return text; }
void stub_on_launch(on_launch function) { runs = function; }
void stub_version(int number) { version = number; }
void stub_fail(const char *name, int status) {
  snprintf(fail_name, MOST, "%s", name);
  fail_status = status;
}
int stub_live(int kind) {
  int found = 0;
  for (int at = 0; at < used; ++at) found += objects[at].live && objects[at].kind == kind;
  return found;
}
size_t stub_bytes(void) {
  size_t found = 0;
  for (int at = 0; at < 256; ++at) found += pieces[at].start ? pieces[at].bytes : 0;
  return found;
}
int stub_depth(void) { return depth; }
void stub_reset(void) {
  for (int at = 0; at < 256; ++at) {
    free(pieces[at].start);
    pieces[at].start = NULL;
  }
  for (int at = 0; at < used; ++at) free(objects[at].launches);
  memset(objects, 0, sizeof objects);
  used = depth = lost = fail_status = 0;
  written = 0;
  text[0] = fail_name[0] = 0;
  runs = NULL;
  version = 13000;
  now = 0;
}

static int failing(const char *name) {
  if (lost) return lost;
  return fail_status && strcmp(name, fail_name) == 0 ? fail_status : 0;
}
#define ENTER if (failing(__func__)) return failing(__func__)
#define ENTER_IN_CONTEXT ENTER; if (depth < 1) return INVALID_CONTEXT

static struct object *make(int kind) {
  struct object *found = &objects[used++];
  found->kind = kind;
  found->live = 1;
  return found;
}
static int is(struct object *object, int kind) {
  return object >= objects && object < objects + used && object->live && object->kind == kind;
}
static int give_back(struct object *object, int kind) {
  if (!is(object, kind)) return INVALID_HANDLE;
  object->live = 0;
  return 0;
}
static struct piece *piece_of(uint64_t address, size_t bytes) {
  for (int at = 0; at < 256; ++at)
    if (pieces[at].start && address >= (uint64_t)pieces[at].start &&
        address + bytes <= (uint64_t)pieces[at].start + pieces[at].bytes)
      return &pieces[at];
  return NULL;
}

int cuInit(unsigned flags) { ENTER; return flags ? INVALID_VALUE : 0; }
int cuDriverGetVersion(int *found) { ENTER; *found = version; return 0; }
int cuGetErrorName(int status, const char **name) {
  static const struct { int status; const char *name; } names[] = {
    {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"},
    {101, "CUDA_ERROR_INVALID_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {201, "CUDA_ERROR_INVALID_CONTEXT"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"}, {400, "CUDA_ERROR_INVALID_HANDLE"}, {500, "CUDA_ERROR_NOT_FOUND"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {719, "CUDA_ERROR_LAUNCH_FAILED"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
  for (size_t at = 0; at < sizeof names / sizeof *names; ++at)
    if (names[at].status == status) {
      *name = names[at].name;
      return 0;
    }
  return INVALID_VALUE;
}
int cuDeviceGet(int *device, int ordinal) { ENTER; *device = 7; return ordinal ? INVALID_DEVICE : 0; }
int cuDeviceGetName(char *name, int bytes, int device) {
  ENTER;
  snprintf(name, bytes, "a stub");
  return device == 7 ? 0 : INVALID_DEVICE;
}
int cuDeviceGetAttribute(int *found, int attribute, int device) {
  ENTER;
  *found = attribute == 75 ? 9 : 0;
  return device == 7 && (attribute == 75 || attribute == 76) ? 0 : INVALID_VALUE;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER;
  *context = text;
  return device == 7 ? 0 : INVALID_DEVICE;
}
int cuCtxPushCurrent_v2(void *context) {
  ENTER;
  if (context != text) return INVALID_CONTEXT;
  ++depth;
  return 0;
}
int cuCtxPopCurrent_v2(void **context) {
  if (depth < 1) return INVALID_CONTEXT;
  *context = text;
  --depth;
  return 0;
}
int cuCtxSynchronize(void) { ENTER_IN_CONTEXT; note("synchronize"); return 0; }

// An image is `stub`, then names of kernels, each with its number of parameters.
int cuModuleLoadData(struct object **module, const char *image) {
  ENTER_IN_CONTEXT;
  if (strncmp(image, "stub ", 5)) return INVALID_IMAGE;
  *module = make(MODULE);
  snprintf((*module)->text, sizeof (*module)->text, "%s ", image + 5);
  note("load");
  return 0;
}
int cuModuleUnload(struct object *module) { ENTER_IN_CONTEXT; note("unload"); return give_back(module, MODULE); }
int cuModuleGetFunction(struct object **function, struct object *module, const char *name) {
  ENTER_IN_CONTEXT;
  if (!is(module, MODULE)) return INVALID_HANDLE;
  char kernel[MOST];
  int parameters, length;
  for (const char *at = module->text; sscanf(at, "%63s %d %n", kernel, &parameters, &length) == 2; at += length)
    if (strcmp(kernel, name) == 0) {
      *function = make(FUNCTION);
      (*function)->parameters = parameters;
      (*function)->limit = 48 * 1024;
      strcpy((*function)->name, kernel);
      return 0;
    }
  return NOT_FOUND;
}
int cuFuncSetAttribute(struct object *function, int attribute, int value) {
  ENTER_IN_CONTEXT;
  if (!is(function, FUNCTION) || attribute != 8 || value > 227 * 1024) return INVALID_VALUE;
  note("limit %d", value);
  function->limit = value;
  return 0;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  ENTER_IN_CONTEXT;
  if (bytes == 0) return INVALID_VALUE;
  for (int at = 0; at < 256; ++at)
    if (!pieces[at].start) {
      pieces[at].start = aligned_alloc(256, (bytes + 255) / 256 * 256);
      pieces[at].bytes = bytes;
      *address = (uint64_t)pieces[at].start;
      return pieces[at].start ? 0 : OUT_OF_MEMORY;
    }
  return OUT_OF_MEMORY;
}
int cuMemFree_v2(uint64_t address) {
  ENTER_IN_CONTEXT;
  struct piece *piece = piece_of(address, 1);
  if (!piece || (uint64_t)piece->start != address) return INVALID_VALUE;
  free(piece->start);
  piece->start = NULL;
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t target, const void *source, size_t bytes) {
  ENTER_IN_CONTEXT;
  if (!piece_of(target, bytes)) return INVALID_VALUE;
  memcpy((void *)target, source, bytes);
  note("upload %zu", bytes);
  return 0;
}
int cuMemcpyDtoH_v2(void *target, uint64_t source, size_t bytes) {
  ENTER_IN_CONTEXT;
  if (!piece_of(source, bytes)) return INVALID_VALUE;
  memcpy(target, (void *)source, bytes);
  note("download %zu", bytes);
  return 0;
}
int cuMemsetD8_v2(uint64_t target, unsigned char value, size_t bytes) {
  ENTER_IN_CONTEXT;
  if (!piece_of(target, bytes)) return INVALID_VALUE;
  memset((void *)target, value, bytes);
  note("fill %zu", bytes);
  return 0;
}
int cuPointerGetAttribute(int *found, int attribute, uint64_t address) {
  ENTER_IN_CONTEXT;
  *found = 0;
  return attribute == 9 && piece_of(address, 1) ? 0 : INVALID_VALUE;
}

int cuStreamCreate(struct object **stream, unsigned flags) {
  ENTER_IN_CONTEXT;
  *stream = make(STREAM);
  return flags == 1 ? 0 : INVALID_VALUE;
}
int cuStreamDestroy_v2(struct object *stream) { ENTER_IN_CONTEXT; return give_back(stream, STREAM); }
int cuStreamSynchronize(struct object *stream) {
  ENTER_IN_CONTEXT;
  if (is(stream, STREAM) && stream->graph) return STREAM_CAPTURE_UNSUPPORTED;
  note("wait");
  return 0;
}
int cuMemsetD8Async(uint64_t target, unsigned char value, size_t bytes, struct object *stream) {
  (void)stream;
  return cuMemsetD8_v2(target, value, bytes);
}
int cuStreamBeginCapture_v2(struct object *stream, int mode) {
  ENTER_IN_CONTEXT;
  if (!is(stream, STREAM) || mode != 1) return INVALID_VALUE;
  stream->graph = make(GRAPH);
  stream->graph->launches = calloc(MOST_LAUNCHES, sizeof(struct launch));
  return 0;
}
int cuStreamEndCapture(struct object *stream, struct object **graph) {
  if (!is(stream, STREAM) || !stream->graph) return INVALID_VALUE;
  *graph = stream->graph;
  stream->graph = NULL;
  ENTER_IN_CONTEXT;
  return 0;
}
int cuGraphInstantiateWithFlags(struct object **found, struct object *graph, unsigned long long flags) {
  ENTER_IN_CONTEXT;
  if (!is(graph, GRAPH) || flags) return INVALID_VALUE;
  *found = make(EXECUTABLE);
  (*found)->count = graph->count;
  (*found)->launches = calloc(MOST_LAUNCHES, sizeof(struct launch));
  memcpy((*found)->launches, graph->launches, graph->count * sizeof(struct launch));
  note("graph of %d", graph->count);
  return 0;
}
int cuGraphDestroy(struct object *graph) { return give_back(graph, GRAPH); }
int cuGraphExecDestroy(struct object *graph) { ENTER_IN_CONTEXT; return give_back(graph, EXECUTABLE); }

static int start(const struct launch *one) {
  for (int at = 0; at < one->function->parameters; ++at)
    if (!piece_of(one->parameters[at], 1)) return lost = ILLEGAL_ADDRESS;
  now += 0.25f;
  if (runs)
    runs(one->function->name, one->grid, one->block, one->shared, one->parameters, one->function->parameters);
  return 0;
}
// A map begins with its array's address; what the driver refuses of one is refused.
int cuTensorMapEncodeTiled(uint64_t *map, int type, unsigned rank, uint64_t address, const uint64_t *extents,
                           const uint64_t *strides, const unsigned *box, const unsigned *steps, int interleave,
                           int swizzle, int promotion, int fill) {
  ENTER_IN_CONTEXT;
  if ((uint64_t)map % 64 || type < 0 || type > 12 || rank < 1 || rank > 5 || address % 16 || interleave || swizzle < 0 ||
      swizzle > 3 || promotion < 0 || promotion > 3 || fill < 0 || fill > 1)
    return INVALID_VALUE;
  uint64_t bytes = 0;
  for (unsigned at = 0; at < rank; ++at) {
    if (!extents[at] || !box[at] || box[at] > 256 || !steps[at] || steps[at] > 8) return INVALID_VALUE;
    if (at && (strides[at - 1] % 16 || !strides[at - 1])) return INVALID_VALUE;
    bytes += at ? (extents[at] - 1) * strides[at - 1] : 0;
  }
  if (!piece_of(address, bytes)) return ILLEGAL_ADDRESS;
  memset(map, 0, 128);
  map[0] = address;
  map[1] = UINT64_MAX;
  note("map of type %d, rank %u, box %u x %u, swizzle %d", type, rank, box[0], rank > 1 ? box[1] : 1, swizzle);
  return 0;
}
int cuTensorMapEncodeIm2col(uint64_t *map, int type, unsigned rank, uint64_t address, const uint64_t *extents,
                            const uint64_t *strides, const int *lower, const int *upper, unsigned channels,
                            unsigned pixels, const unsigned *steps, int interleave, int swizzle, int promotion,
                            int fill) {
  ENTER_IN_CONTEXT;
  const int widths[] = {32768, 128, 16};
  if ((uint64_t)map % 64 || type < 0 || type > 12 || rank < 3 || rank > 5 || address % 16 || interleave || swizzle < 0 ||
      swizzle > 3 || promotion < 0 || promotion > 3 || fill < 0 || fill > 1 || channels > 256 || pixels > 1024)
    return INVALID_VALUE;
  uint64_t bytes = 0;
  for (unsigned at = 0; at < rank; ++at) {
    if (!extents[at] || !steps[at] || steps[at] > 8) return INVALID_VALUE;
    if (at && (strides[at - 1] % 16 || !strides[at - 1])) return INVALID_VALUE;
    bytes += at ? (extents[at] - 1) * strides[at - 1] : 0;
  }
  for (unsigned at = 0; at < rank - 2; ++at) {
    const int most = widths[rank - 3];
    if (lower[at] < -most || lower[at] >= most || upper[at] < -most || upper[at] >= most) return INVALID_VALUE;
    if (lower[at] > (int64_t)extents[at + 1] - 1 + upper[at]) return INVALID_VALUE;
  }
  if (!piece_of(address, bytes)) return ILLEGAL_ADDRESS;
  memset(map, 0, 128);
  map[0] = address;
  map[1] = UINT64_MAX;
  note("map of type %d, rank %u, pixels %u x %u from %d to %d, swizzle %d", type, rank, channels, pixels, lower[0],
       upper[0], swizzle);
  return 0;
}
int cuLaunchKernel(struct object *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                   unsigned bz, unsigned shared, struct object *stream, void **parameters, void **extra) {
  ENTER_IN_CONTEXT;
  if (!is(function, FUNCTION) || extra || bx * by * bz > 1024 || !gx || !gy || !gz || (int)shared > function->limit)
    return INVALID_VALUE;
  struct launch one = {function, {gx, gy, gz}, {bx, by, bz}, shared, {0}};
  for (int at = 0; at < function->parameters; ++at) memcpy(&one.parameters[at], parameters[at], sizeof(uint64_t));
  note("launch %s <<<%ux%ux%u, %ux%ux%u, %u>>> on %s", function->name, gx, gy, gz, bx, by, bz, shared,
       !stream ? "the default stream" : is(stream, STREAM) ? "a stream" : "another's stream");
  if (is(stream, STREAM) && stream->graph) {
    stream->graph->launches[stream->graph->count++] = one;
    return 0;
  }
  return start(&one);
}
int cuGraphLaunch(struct object *graph, struct object *stream) {
  (void)stream;
  ENTER_IN_CONTEXT;
  if (!is(graph, EXECUTABLE)) return INVALID_HANDLE;
  note("launch graph");
  for (int at = 0; at < graph->count; ++at)
    if (start(&graph->launches[at])) return lost;
  return 0;
}

int cuEventCreate(struct object **event, unsigned flags) {
  ENTER_IN_CONTEXT;
  *event = make(EVENT);
  return flags ? INVALID_VALUE : 0;
}
int cuEventRecord(struct object *event, struct object *stream) {
  (void)stream;
  ENTER_IN_CONTEXT;
  if (!is(event, EVENT)) return INVALID_HANDLE;
  event->time = now;
  return 0;
}
int cuEventSynchronize(struct object *event) { ENTER_IN_CONTEXT; return is(event, EVENT) ? 0 : INVALID_HANDLE; }
int cuEventElapsedTime(float *found, struct object *begin, struct object *end) {
  ENTER_IN_CONTEXT;
  *found = end->time - begin->time;
  return 0;
}
int cuEventDestroy_v2(struct object *event) { ENTER_IN_CONTEXT; return give_back(event, EVENT); }
