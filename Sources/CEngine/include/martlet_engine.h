/*
 * martlet_engine.h: how Martlet talks to a library that computes answers. ABI version 1.
 *
 * An engine is a shared library `libmartlet_engine_<name>.so` that exports one function, `martlet_engine_table`.
 * It may be written in any language. The ABI is thin and holds no policy: scheduling, chat templates, stop texts
 * and structured output live in Martlet.
 *
 * Rules
 *  1. The table and everything it points to lives as long as the process. Libraries are never closed.
 *  2. The caller owns every buffer, but for the tensors of a result. Texts go in as bytes with a length, or
 *     NUL-terminated where the type says so; the engine copies what it keeps. Texts come out NUL-terminated, cut to the
 *     buffer on a character boundary.
 *  3. No exception, signal handler, longjmp or exit crosses this line. What a library can check, it reports.
 *  4. A model may be used from any thread at once. A session and its samplers are driven by one thread at a time;
 *     only `abort_session` may come from any other thread.
 *  5. The log function is the only callback; it may be called from any thread.
 *  6. A model is closed after its sessions, a session after its samplers.
 *
 * Growth: new functions are appended to `martlet_engine`, new fields to the structs that carry `struct_size`.
 * Whoever reads a struct looks no further than the `struct_size` that its writer put there. A function pointer
 * whose capability bit is absent may be NULL: those from `tokenize` to `set_adapters` belong to GENERATE and EMBED, but
 * for those of sessions; those from `describe_tensor` to `release_result` to RUN_TENSORS; `accelerator` to ACCELERATE.
 * Anything else is a new ABI version.
 */
#ifndef MARTLET_ENGINE_H
#define MARTLET_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MARTLET_ENGINE_ABI_VERSION 1u

/* The name of the one exported symbol. */
#define MARTLET_ENGINE_SYMBOL "martlet_engine_table"

/* What an engine can do: bits of `martlet_engine.capabilities`. */
#define MARTLET_CAN_GENERATE (UINT64_C(1) << 0)
#define MARTLET_CAN_EMBED (UINT64_C(1) << 1)
/* Named tensors in, named tensors out. */
#define MARTLET_CAN_RUN_TENSORS (UINT64_C(1) << 2)
/* Computes on something beside the CPU, where the machine has it. */
#define MARTLET_CAN_ACCELERATE (UINT64_C(1) << 3)
/* Heeds `martlet_sampling.biases`. */
#define MARTLET_CAN_BIAS (UINT64_C(1) << 4)

/* How a call ended. Everything but OK fills the error buffer with one sentence for people. */
typedef int32_t martlet_status;
#define MARTLET_OK 0
/* Something went wrong that no other status names. */
#define MARTLET_FAILED 1
/* `abort_session` was called. */
#define MARTLET_ABORTED 2
/* The file is missing, damaged, or of a kind that the engine does not know. */
#define MARTLET_UNREADABLE 3
/* An option, adapter, grammar or argument is not acceptable. */
#define MARTLET_INVALID 4
/* The engine or this model cannot do that at all. */
#define MARTLET_UNSUPPORTED 5
/* There is not enough memory. */
#define MARTLET_OUT_OF_MEMORY 6

/* Receives the sentence that explains a failure. */
typedef struct martlet_error {
    char *message;
    size_t capacity;
} martlet_error;

typedef struct martlet_model martlet_model;
typedef struct martlet_session martlet_session;
typedef struct martlet_sampler martlet_sampler;

/* Levels of log messages. */
#define MARTLET_LOG_DEBUG 0
#define MARTLET_LOG_INFO 1
#define MARTLET_LOG_WARNING 2
#define MARTLET_LOG_ERROR 3
/* `message` is NUL-terminated, without a line end, and gone after the call. */
typedef void (*martlet_log)(int32_t level, const char *message, void *context);

/* The kinds of an option's value. */
#define MARTLET_OPTION_BOOL 0
#define MARTLET_OPTION_INTEGER 1
#define MARTLET_OPTION_NUMBER 2
#define MARTLET_OPTION_TEXT 3

/* One option of a model, as the manifest spells it. Only the member that `kind` names is set. */
typedef struct martlet_option {
    const char *name; /* NUL-terminated. */
    int32_t kind;
    bool boolean;
    int64_t integer;
    double number;
    const char *text; /* NUL-terminated. */
} martlet_option;

/* An adapter to load with a model; sessions name it by its index. */
typedef struct martlet_adapter {
    const char *file; /* NUL-terminated path. */
    float scale;
} martlet_adapter;

/* What to open. */
typedef struct martlet_opening {
    uint32_t struct_size;
    int32_t threads;  /* Threads of one session's computing, at least 1. */
    const char *file; /* NUL-terminated absolute path. */
    const martlet_adapter *adapters;
    size_t adapter_count;
    const martlet_option *options;
    size_t option_count;
    const char *accelerator; /* What computes, as `accelerator` of the table names it; NULL for the CPU alone. */
} martlet_opening;

/* What a model is. The caller sets `struct_size`. */
typedef struct martlet_description {
    uint32_t struct_size;
    int32_t context_length;   /* Tokens of the longest sequence. */
    int32_t slots;            /* Sequences of one session. */
    int32_t batch_limit;      /* Entries of the largest batch. */
    int32_t embedding_width;  /* Floats of an embedding; 0 where the model, as opened, gives none. */
    int32_t vocabulary_size;  /* Token ids are below it. */
    int32_t beginning_token;  /* -1 where the vocabulary has none. */
    int32_t ending_token;     /* What the tokenizer wants behind a text to embed; -1 for nothing. */
    bool adds_beginning_token;
    bool generates;           /* False where the model, as opened, gives no logits. */
    int64_t weight_bytes;     /* Weights and adapters in memory. */
    int64_t session_bytes;    /* One session: caches and scratch buffers. */
    int32_t input_count;      /* Tensors that a run takes; 0 where the model works on no tensors. */
    int32_t output_count;     /* Tensors that a run can give. */
} martlet_description;

/* The texts of a model. */
#define MARTLET_TEXT_ARCHITECTURE 0
#define MARTLET_TEXT_CHAT_TEMPLATE 1

/* A piece of text to tokenize; where `parse_special` is false, spelt-out special tokens are plain text. */
typedef struct martlet_segment {
    const char *text; /* UTF-8, not NUL-terminated. */
    size_t length;
    bool parse_special;
} martlet_segment;

/* One token of a batch. */
typedef struct martlet_entry {
    int32_t token;
    int32_t position; /* Within its sequence, from 0, without gaps. */
    int32_t sequence; /* Below `slots`. */
    bool wants_logits;
} martlet_entry;

/* What is added to the logit of a token before one is chosen; -INFINITY never chooses it. */
typedef struct martlet_bias {
    int32_t token;
    float value;
} martlet_bias;

/* How the next token is chosen. */
typedef struct martlet_sampling {
    uint32_t struct_size;
    float temperature; /* 0 or less is greedy. */
    float top_p;       /* 1 considers every token. */
    int32_t top_k;     /* 0 considers every token. */
    float min_p;       /* 0 considers every token. */
    float frequency_penalty;
    float presence_penalty;
    bool has_seed; /* Without one the engine draws its own. */
    uint32_t seed;
    const char *grammar; /* GBNF, NUL-terminated; NULL for none. Its start symbol is `root`. */
    const martlet_bias *biases; /* None where the engine lacks MARTLET_CAN_BIAS. */
    size_t bias_count;
} martlet_sampling;

/* A token and its log-probability. */
typedef struct martlet_token_probability {
    int32_t token;
    double log_probability;
} martlet_token_probability;

/* Datatypes of tensors, named as the Open Inference Protocol names them. */
#define MARTLET_TENSOR_BOOL 1 /* One byte each, 0 or 1. */
#define MARTLET_TENSOR_UINT8 2
#define MARTLET_TENSOR_UINT16 3
#define MARTLET_TENSOR_UINT32 4
#define MARTLET_TENSOR_UINT64 5
#define MARTLET_TENSOR_INT8 6
#define MARTLET_TENSOR_INT16 7
#define MARTLET_TENSOR_INT32 8
#define MARTLET_TENSOR_INT64 9
#define MARTLET_TENSOR_FP16 10
#define MARTLET_TENSOR_BF16 11
#define MARTLET_TENSOR_FP32 12
#define MARTLET_TENSOR_FP64 13
/* Texts: for each element its length in bytes as a 4-byte integer, then the bytes. */
#define MARTLET_TENSOR_BYTES 14

/* What a model says of one of its tensors. The caller sets `struct_size`; pointers live as long as the model. */
typedef struct martlet_tensor_description {
    uint32_t struct_size;
    int32_t datatype;
    const char *name;     /* NUL-terminated. */
    const int64_t *shape; /* `rank` sizes; -1 where any size will do. */
    size_t rank;
    bool any_shape;       /* Any number of sizes will do; `rank` is 0. */
} martlet_tensor_description;

/* Numbers with a shape: row by row, without gaps, in the machine's byte order. */
typedef struct martlet_tensor {
    const char *name; /* NUL-terminated. */
    int32_t datatype;
    const int64_t *shape; /* `rank` sizes, none negative. */
    size_t rank;
    const void *data; /* Aligned for the datatype; may be NULL where `length` is 0. */
    size_t length;    /* In bytes. */
} martlet_tensor;

/* The tensors that a run gave. */
typedef struct martlet_result martlet_result;

/* What an engine offers. */
typedef struct martlet_engine {
    uint32_t abi_version; /* MARTLET_ENGINE_ABI_VERSION as the library was compiled. */
    uint32_t struct_size; /* sizeof(martlet_engine) as the library was compiled. */
    uint64_t capabilities;
    const char *name;
    const char *version;

    /* Sends log messages to a function from now on; NULL silences the engine. Called once, before all else. */
    void (*set_log)(martlet_log log, void *context);

    /* Checks one option without a model. */
    martlet_status (*check_option)(const martlet_option *option, martlet_error error);

    /* Loads a model; blocks. On failure `*model` is NULL. */
    martlet_status (*open_model)(const martlet_opening *opening, martlet_model **model, martlet_error error);
    void (*close_model)(martlet_model *model);
    martlet_status (*describe_model)(const martlet_model *model, martlet_description *description);

    /* Copies one of the model's texts and returns its whole length without the NUL; 0 where there is none. */
    size_t (*model_text)(const martlet_model *model, int32_t which, char *buffer, size_t capacity);

    /*
     * Tokenizes segments in order, as one text; adds no beginning token. Sets `*count` to the number of tokens
     * even when `capacity` is smaller; then no token is written beyond it and the caller asks again.
     */
    martlet_status (*tokenize)(
        const martlet_model *model,
        const martlet_segment *segments,
        size_t segment_count,
        int32_t *tokens,
        size_t capacity,
        size_t *count,
        martlet_error error
    );

    /* Copies the bytes of a token, without a NUL, and returns their whole number. Special tokens have none. */
    size_t (*token_bytes)(const martlet_model *model, int32_t token, char *buffer, size_t capacity);
    bool (*ends_generation)(const martlet_model *model, int32_t token);

    /* Allocates the caches of all slots; blocks. On failure `*session` is NULL. */
    martlet_status (*open_session)(martlet_model *model, martlet_session **session, martlet_error error);
    void (*close_session)(martlet_session *session);

    /*
     * Computes a batch of 1 to `batch_limit` entries, of which at most `slots` want logits; blocks. A text to embed
     * is computed by one batch, on an empty sequence, where any number of entries may want logits. The host names
     * entries in the order of their sequences.
     */
    martlet_status (*decode)(
        martlet_session *session,
        const martlet_entry *entries,
        size_t count,
        martlet_error error
    );

    /* Makes a running `decode` return MARTLET_ABORTED within 50 ms, and every later one. From any thread. */
    void (*abort_session)(martlet_session *session);

    /* A sampler remembers what it chose: penalties, grammar, random numbers. */
    martlet_status (*open_sampler)(
        martlet_session *session,
        const martlet_sampling *sampling,
        martlet_sampler **sampler,
        martlet_error error
    );
    void (*close_sampler)(martlet_sampler *sampler);

    /* Chooses from the logits of entry `index` of the last batch, and remembers the choice. */
    martlet_status (*sample)(martlet_sampler *sampler, size_t index, int32_t *token, martlet_error error);

    /*
     * Gives the log-probability of `chosen`, and of the `capacity` likeliest tokens, likeliest first, from the
     * unmodified logits of entry `index` of the last batch. Sets `*count` to the number of tokens written.
     */
    martlet_status (*log_probabilities)(
        const martlet_session *session,
        size_t index,
        int32_t chosen,
        double *chosen_log_probability,
        martlet_token_probability *top,
        size_t capacity,
        size_t *count,
        martlet_error error
    );

    /* Copies the embedding of a sequence of the last batch, L2-normalised: `embedding_width` floats. */
    martlet_status (*embedding)(
        const martlet_session *session,
        int32_t sequence,
        float *values,
        size_t capacity,
        martlet_error error
    );

    /* Forgets positions `from` to before `to` of a sequence; `to` below 0 means to its end. */
    martlet_status (*remove_tokens)(martlet_session *session, int32_t sequence, int32_t from, int32_t to);

    /* Makes `target` hold exactly what `source` holds before position `length`. */
    martlet_status (*copy_tokens)(martlet_session *session, int32_t source, int32_t target, int32_t length);

    /* Puts adapters, by their index in `martlet_opening.adapters`, in effect for the following batches. */
    martlet_status (*set_adapters)(
        martlet_session *session,
        const size_t *indices,
        size_t count,
        martlet_error error
    );

    /* Describes input (or else output) `index` of a model that works on tensors. */
    martlet_status (*describe_tensor)(
        const martlet_model *model,
        bool is_input,
        size_t index,
        martlet_tensor_description *description
    );

    /*
     * Runs a model on tensors; blocks. Gives the outputs that `outputs` names, in that order; all, in the model's
     * order, where `output_count` is 0. Input data is not changed, and not needed after the call. On failure
     * `*result` is NULL. `abort_session` ends it as it ends `decode`.
     */
    martlet_status (*run_tensors)(
        martlet_session *session,
        const martlet_tensor *inputs,
        size_t input_count,
        const char *const *outputs,
        size_t output_count,
        martlet_result **result,
        martlet_error error
    );

    /* Looks at one tensor of a result; what it points to lives until the result is released. */
    martlet_status (*result_tensor)(const martlet_result *result, size_t index, martlet_tensor *tensor);

    /* Releases a result, from any thread; before or after its session and model are closed. */
    void (*release_result)(martlet_result *result);

    /*
     * Names what this machine has beside its CPU that models can be opened on: `cuda`. NUL-terminated and lower case;
     * NULL past the last one. Belongs to ACCELERATE.
     */
    const char *(*accelerator)(size_t index);
} martlet_engine;

/* The one exported function. `host_abi_version` lets an engine that speaks several versions choose. */
const martlet_engine *martlet_engine_table(uint32_t host_abi_version);

typedef const martlet_engine *(*martlet_engine_table_function)(uint32_t host_abi_version);

#ifdef __cplusplus
}
#endif

#endif
