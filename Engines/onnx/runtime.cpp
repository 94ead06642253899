// Starts ONNX Runtime: its table of functions, one environment with shared threads, its log.
#include "runtime.h"

#include <thread>

#include "internal.h"

// What libonnxruntime.so exports.
struct OrtApiBase {
    const void *const *(*table)(uint32_t version);
    const char *(*version)();
};
extern "C" const OrtApiBase *OrtGetApiBase();

namespace {

// The first version of the interface that has every function named below.
constexpr uint32_t interface_version = 24;

enum ErrorCode { failed = 1, invalid_argument = 2, no_such_file = 3, no_model = 4, invalid_protobuf = 7,
                 not_implemented = 9, invalid_graph = 10 };

template <class Function>
void place(const void *const *table, size_t index, Function &function) {
    function = reinterpret_cast<Function>(const_cast<void *>(table[index]));
}

void find_functions(const void *const *table, Runtime &found) {
    place(table, 1, found.error_code);
    place(table, 2, found.error_message);
    place(table, 7, found.create_session);
    place(table, 8, found.create_session_from_bytes);
    place(table, 9, found.run);
    place(table, 10, found.create_session_options);
    place(table, 17, found.disable_memory_pattern);
    place(table, 19, found.disable_arena);
    place(table, 23, found.set_optimization);
    place(table, 30, found.input_count);
    place(table, 31, found.output_count);
    place(table, 33, found.input_type);
    place(table, 34, found.output_type);
    place(table, 36, found.input_name);
    place(table, 37, found.output_name);
    place(table, 39, found.create_run_options);
    place(table, 46, found.terminate);
    place(table, 48, found.create_tensor);
    place(table, 49, found.wrap_tensor);
    place(table, 51, found.tensor_data);
    place(table, 53, found.text_length);
    place(table, 54, found.texts);
    place(table, 55, found.tensor_type);
    place(table, 56, found.kind);
    place(table, 60, found.datatype);
    place(table, 61, found.rank);
    place(table, 62, found.shape);
    place(table, 65, found.value_type);
    place(table, 67, found.value_kind);
    place(table, 69, found.create_memory_info);
    place(table, 76, found.free_memory);
    place(table, 78, found.default_allocator);
    place(table, 93, found.release_status);
    place(table, 95, found.release_session);
    place(table, 96, found.release_value);
    place(table, 97, found.release_run_options);
    place(table, 98, found.release_type);
    place(table, 99, found.release_tensor_type);
    place(table, 100, found.release_session_options);
    place(table, 120, found.share_threads);
    place(table, 121, found.create_threading);
    place(table, 122, found.release_threading);
    place(table, 147, found.set_threads);
    place(table, 149, found.set_spinning);
    place(table, 151, found.create_environment);
    place(table, 252, found.text_buffer);
    place(table, 390, found.has_shape);
}

martlet_status status_of(int code) {
    switch (code) {
    case no_such_file:
    case no_model:
    case invalid_protobuf:
    case invalid_graph: return MARTLET_UNREADABLE;
    case invalid_argument: return MARTLET_INVALID;
    case not_implemented: return MARTLET_UNSUPPORTED;
    default: return MARTLET_FAILED;
    }
}

void check(const Runtime &runtime, OrtStatus *status) {
    if (status == nullptr) return;
    const std::string message = runtime.error_message(status);
    const martlet_status code = status_of(runtime.error_code(status));
    runtime.release_status(status);
    throw Refusal(code, message);
}

Runtime start() {
    Runtime result;
    const OrtApiBase *base = OrtGetApiBase();
    const void *const *table = base->table(interface_version);
    if (table == nullptr) {
        throw Refusal(MARTLET_UNSUPPORTED, std::string("ONNX Runtime ") + base->version() + " is older than 1.24");
    }
    find_functions(table, result);

    OrtThreadingOptions *threading = nullptr;
    check(result, result.create_threading(&threading));
    check(result, result.set_threads(threading, static_cast<int>(std::thread::hardware_concurrency())));
    // A thread that waits without sleeping would take a core from the models beside this one.
    check(result, result.set_spinning(threading, 0));
    constexpr int warning = 2;
    check(result, result.create_environment(receive_log, nullptr, warning, "martlet", threading, &result.environment));
    result.release_threading(threading);

    constexpr int arena_allocator = 1, default_memory = 0;
    check(result, result.create_memory_info(arena_allocator, default_memory, &result.memory));
    check(result, result.default_allocator(&result.allocator));
    return result;
}

}  // namespace

const Runtime &runtime() {
    static const Runtime shared = start();
    return shared;
}

const char *runtime_version() {
    return OrtGetApiBase()->version();
}

void check(OrtStatus *status) {
    // A call that succeeded is the common case, and needs no look at the runtime.
    if (status != nullptr) check(runtime(), status);
}
