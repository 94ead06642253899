// The part of ONNX Runtime's C interface that this engine uses.
//
// That interface is one table of functions, which has only ever grown at its end: a function keeps its place for good.
// So each is named here with its place, and no header of the runtime is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

// Objects of the runtime; only it looks inside.
struct OrtAllocator;
struct OrtEnv;
struct OrtMemoryInfo;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtTensorTypeAndShapeInfo;
struct OrtThreadingOptions;
struct OrtTypeInfo;
struct OrtValue;

using OrtLogFunction =
    void (*)(void *context, int level, const char *category, const char *name, const char *place, const char *message);

// What an input or output is, as the runtime counts kinds.
enum OrtKind { ort_kind_tensor = 1, ort_kind_sequence = 2, ort_kind_map = 3 };

struct Runtime {
    int (*error_code)(const OrtStatus *) = nullptr;
    const char *(*error_message)(const OrtStatus *) = nullptr;
    OrtStatus *(*create_session)(const OrtEnv *, const char *file, const OrtSessionOptions *, OrtSession **) = nullptr;
    OrtStatus *(*create_session_from_bytes)(
        const OrtEnv *, const void *bytes, size_t count, const OrtSessionOptions *, OrtSession **) = nullptr;
    OrtStatus *(*run)(
        OrtSession *, const OrtRunOptions *, const char *const *input_names, const OrtValue *const *inputs,
        size_t input_count, const char *const *output_names, size_t output_count, OrtValue **outputs
    ) = nullptr;
    OrtStatus *(*create_session_options)(OrtSessionOptions **) = nullptr;
    OrtStatus *(*disable_memory_pattern)(OrtSessionOptions *) = nullptr;
    OrtStatus *(*disable_arena)(OrtSessionOptions *) = nullptr;
    OrtStatus *(*set_optimization)(OrtSessionOptions *, int level) = nullptr;
    OrtStatus *(*input_count)(const OrtSession *, size_t *) = nullptr;
    OrtStatus *(*output_count)(const OrtSession *, size_t *) = nullptr;
    OrtStatus *(*input_type)(const OrtSession *, size_t index, OrtTypeInfo **) = nullptr;
    OrtStatus *(*output_type)(const OrtSession *, size_t index, OrtTypeInfo **) = nullptr;
    OrtStatus *(*input_name)(const OrtSession *, size_t index, OrtAllocator *, char **) = nullptr;
    OrtStatus *(*output_name)(const OrtSession *, size_t index, OrtAllocator *, char **) = nullptr;
    OrtStatus *(*create_run_options)(OrtRunOptions **) = nullptr;
    OrtStatus *(*terminate)(OrtRunOptions *) = nullptr;
    OrtStatus *(*create_tensor)(OrtAllocator *, const int64_t *shape, size_t rank, int datatype, OrtValue **) = nullptr;
    OrtStatus *(*wrap_tensor)(
        const OrtMemoryInfo *, void *data, size_t length, const int64_t *shape, size_t rank, int datatype, OrtValue **
    ) = nullptr;
    OrtStatus *(*tensor_data)(OrtValue *, void **) = nullptr;
    OrtStatus *(*text_length)(const OrtValue *, size_t *) = nullptr;
    OrtStatus *(*texts)(const OrtValue *, void *bytes, size_t length, size_t *offsets, size_t count) = nullptr;
    OrtStatus *(*text_buffer)(OrtValue *, size_t index, size_t length, char **) = nullptr;
    OrtStatus *(*tensor_type)(const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **) = nullptr;
    OrtStatus *(*kind)(const OrtTypeInfo *, int *) = nullptr;
    OrtStatus *(*datatype)(const OrtTensorTypeAndShapeInfo *, int *) = nullptr;
    bool (*has_shape)(const OrtTensorTypeAndShapeInfo *) = nullptr;
    OrtStatus *(*rank)(const OrtTensorTypeAndShapeInfo *, size_t *) = nullptr;
    OrtStatus *(*shape)(const OrtTensorTypeAndShapeInfo *, int64_t *, size_t rank) = nullptr;
    OrtStatus *(*value_type)(const OrtValue *, OrtTensorTypeAndShapeInfo **) = nullptr;
    OrtStatus *(*value_kind)(const OrtValue *, int *) = nullptr;
    OrtStatus *(*create_memory_info)(int allocator, int memory, OrtMemoryInfo **) = nullptr;
    OrtStatus *(*free_memory)(OrtAllocator *, void *) = nullptr;
    OrtStatus *(*default_allocator)(OrtAllocator **) = nullptr;
    OrtStatus *(*share_threads)(OrtSessionOptions *) = nullptr;
    OrtStatus *(*create_threading)(OrtThreadingOptions **) = nullptr;
    OrtStatus *(*set_threads)(OrtThreadingOptions *, int count) = nullptr;
    OrtStatus *(*set_spinning)(OrtThreadingOptions *, int enabled) = nullptr;
    OrtStatus *(*create_environment)(
        OrtLogFunction, void *context, int level, const char *name, const OrtThreadingOptions *, OrtEnv **
    ) = nullptr;

    void (*release_status)(OrtStatus *) = nullptr;
    void (*release_session)(OrtSession *) = nullptr;
    void (*release_value)(OrtValue *) = nullptr;
    void (*release_run_options)(OrtRunOptions *) = nullptr;
    void (*release_type)(OrtTypeInfo *) = nullptr;
    void (*release_tensor_type)(OrtTensorTypeAndShapeInfo *) = nullptr;
    void (*release_session_options)(OrtSessionOptions *) = nullptr;
    void (*release_threading)(OrtThreadingOptions *) = nullptr;

    // Made once, for the life of the process: all sessions share its threads.
    OrtEnv *environment = nullptr;
    OrtAllocator *allocator = nullptr;
    OrtMemoryInfo *memory = nullptr;
};

// The runtime, started on first use; throws a Refusal where it cannot be.
const Runtime &runtime();

// The version of the library, such as `1.31.1`; starts nothing.
const char *runtime_version();

// Throws a Refusal when a call failed, and releases its status.
void check(OrtStatus *status);

// Objects of the runtime that are released with their owner.
struct Release {
    void operator()(OrtSession *each) const { runtime().release_session(each); }
    void operator()(OrtSessionOptions *each) const { runtime().release_session_options(each); }
    void operator()(OrtRunOptions *each) const { runtime().release_run_options(each); }
    void operator()(OrtTypeInfo *each) const { runtime().release_type(each); }
    void operator()(OrtTensorTypeAndShapeInfo *each) const { runtime().release_tensor_type(each); }
    void operator()(OrtValue *each) const { runtime().release_value(each); }
};
template <class Object>
using Owned = std::unique_ptr<Object, Release>;

// Makes an object by a call that fills in a pointer.
template <class Object, class Make>
Owned<Object> make(Make make) {
    Object *object = nullptr;
    check(make(&object));
    return Owned<Object>(object);
}
