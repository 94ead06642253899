// What the files of the llama engine share: its objects behind the opaque types of the ABI.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "../common/support.h"
#include "llama-ext.h"
#include "llama.h"
#include "martlet_engine.h"

// The options of a model, with their defaults. Zero means: decided when the file is known.
struct Options {
    int64_t context_length = 0;
    int64_t slots = 4;
    int64_t batch_size = 0;
    // -1: only where the model can do nothing else.
    int embeddings = -1;
    enum llama_pooling_type pooling = LLAMA_POOLING_TYPE_UNSPECIFIED;
};

struct Adapter {
    llama_adapter_lora *lora;
    float scale;
};

struct martlet_model {
    llama_model *model = nullptr;
    const llama_vocab *vocab = nullptr;
    std::vector<Adapter> adapters;
    // Spellings that mean special tokens where `parse_special` is true.
    std::vector<std::string> specials;
    std::string architecture;
    Options options;
    int32_t threads = 1;
    // Empty: the CPU alone.
    std::string accelerator;
    martlet_description description = {};

    ~martlet_model() {
        if (model != nullptr) llama_model_free(model);
    }
};

struct martlet_session {
    martlet_model *model = nullptr;
    llama_context *context = nullptr;
    // NULL for an encoder, which keeps nothing between batches.
    llama_memory_t memory = nullptr;
    std::atomic<bool> aborted{false};
    // The last batch, as it was asked for; empty after a failure.
    std::vector<martlet_entry> batch;

    ~martlet_session() {
        if (context != nullptr) llama_free(context);
    }

    // The logits of an entry of the last batch; refuses what was not asked for.
    const float *logits(size_t index) const;
};

struct martlet_sampler {
    martlet_session *session = nullptr;
    llama_sampler *chain = nullptr;
    llama_sampler *grammar = nullptr;
    std::vector<llama_token_data> candidates;
    std::vector<martlet_bias> biases;

    ~martlet_sampler() {
        if (grammar != nullptr) llama_sampler_free(grammar);
        if (chain != nullptr) llama_sampler_free(chain);
    }
};

// The error lines that libllama logged on this thread since the last call, as one sentence; else `fallback`.
std::string take_logged_errors(const std::string &fallback);

// Adopts one option; throws a Refusal that names it.
void apply_option(const martlet_option &option, Options &options);

// Creates a context for a model's options; throws a Refusal.
llama_context *make_context(const martlet_model &model, ggml_abort_callback abort, void *abort_data);

// The devices of an accelerator as libllama wants them, ended by NULL; none for no name. Throws a Refusal.
std::vector<ggml_backend_dev_t> devices_of(const std::string &accelerator);

// Whether a buffer lies in the memory that the host counts.
bool is_in_main_memory(ggml_backend_buffer_type_t type);

// Returns freed memory to the system: the allocator keeps what it thinks will be needed again, and a host that
// counts its memory must see that a model is gone.
void give_memory_back();

// The functions of the table, file by file.
void set_log(martlet_log log, void *context);
const char *accelerator(size_t index);
martlet_status check_option(const martlet_option *option, martlet_error error);

martlet_status open_model(const martlet_opening *opening, martlet_model **model, martlet_error error);
void close_model(martlet_model *model);
martlet_status describe_model(const martlet_model *model, martlet_description *description);
size_t model_text(const martlet_model *model, int32_t which, char *buffer, size_t capacity);

martlet_status tokenize(
    const martlet_model *model, const martlet_segment *segments, size_t segment_count, int32_t *tokens,
    size_t capacity, size_t *count, martlet_error error
);
size_t token_bytes(const martlet_model *model, int32_t token, char *buffer, size_t capacity);
bool ends_generation(const martlet_model *model, int32_t token);

martlet_status open_session(martlet_model *model, martlet_session **session, martlet_error error);
void close_session(martlet_session *session);
martlet_status decode(martlet_session *session, const martlet_entry *entries, size_t count, martlet_error error);
void abort_session(martlet_session *session);
martlet_status embedding(
    const martlet_session *session, int32_t sequence, float *values, size_t capacity, martlet_error error
);
martlet_status remove_tokens(martlet_session *session, int32_t sequence, int32_t from, int32_t to);
martlet_status copy_tokens(martlet_session *session, int32_t source, int32_t target, int32_t length);
martlet_status set_adapters(martlet_session *session, const size_t *indices, size_t count, martlet_error error);

martlet_status open_sampler(
    martlet_session *session, const martlet_sampling *sampling, martlet_sampler **sampler, martlet_error error
);
void close_sampler(martlet_sampler *sampler);
martlet_status sample(martlet_sampler *sampler, size_t index, int32_t *token, martlet_error error);
martlet_status log_probabilities(
    const martlet_session *session, size_t index, int32_t chosen, double *chosen_log_probability,
    martlet_token_probability *top, size_t capacity, size_t *count, martlet_error error
);
