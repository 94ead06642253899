// What the files of the onnx engine share: its objects behind the opaque types of the ABI.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "../common/support.h"
#include "runtime.h"

// An input or output of a model.
struct TensorType {
    std::string name;
    int32_t datatype = 0;
    std::vector<int64_t> shape;
    // Whether the model leaves even the number of sizes open.
    bool any_shape = false;
};

// The options of a model, with their defaults.
struct Options {
    // How far the graph is rewritten while loading, as the runtime counts levels; 99 is everything.
    int optimization = 99;
};

struct martlet_model {
    Owned<OrtSession> session;
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs;
    int64_t bytes = 0;
};

// The runtime computes on a model from any thread at once, so a session is what ends a computation, and no more.
struct martlet_session {
    martlet_model *model = nullptr;
    Owned<OrtRunOptions> options;
    std::atomic<bool> aborted{false};
};

// One output, with its texts spelt out where it has texts.
struct ResultTensor {
    Owned<OrtValue> value;
    std::string name;
    int32_t datatype = 0;
    std::vector<int64_t> shape;
    std::vector<char> texts;
    const void *data = nullptr;
    size_t length = 0;
};

struct martlet_result {
    std::vector<ResultTensor> tensors;
};

// A datatype of the ABI: its name, the bytes of one element (0 for texts), and the runtime's number for it.
struct Datatype {
    int32_t martlet;
    int ort;
    size_t width;
    const char *name;
};

// The datatype with that number of the ABI, or of the runtime; NULL where there is none.
const Datatype *datatype(int32_t martlet);
const Datatype *datatype_of_runtime(int ort);

// Adopts one option; throws a Refusal that names it.
void apply_option(const martlet_option &option, Options &options);

// A shape in words: `[2, ?]`.
std::string words(const int64_t *shape, size_t rank);

// Hands the runtime's log messages to the host.
void receive_log(void *, int level, const char *, const char *, const char *, const char *message);

// The functions of the table, file by file.
void set_log(martlet_log log, void *context);
martlet_status check_option(const martlet_option *option, martlet_error error);

martlet_status open_model(const martlet_opening *opening, martlet_model **model, martlet_error error);
void close_model(martlet_model *model);
martlet_status describe_model(const martlet_model *model, martlet_description *description);
martlet_status describe_tensor(
    const martlet_model *model, bool is_input, size_t index, martlet_tensor_description *description
);
size_t model_text(const martlet_model *model, int32_t which, char *buffer, size_t capacity);

martlet_status open_session(martlet_model *model, martlet_session **session, martlet_error error);
void close_session(martlet_session *session);
void abort_session(martlet_session *session);
martlet_status run_tensors(
    martlet_session *session, const martlet_tensor *inputs, size_t input_count, const char *const *outputs,
    size_t output_count, martlet_result **result, martlet_error error
);
martlet_status result_tensor(const martlet_result *result, size_t index, martlet_tensor *tensor);
void release_result(martlet_result *result);
