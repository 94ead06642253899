/*
 * An engine that does what the first word of its model file says. Tests compile it to see that nothing a library
 * does can hurt the process that probes it, and that nothing it does later hurts more than it must. It is never
 * installed.
 *
 *   ok                   a model of 256 one-byte tokens that always says "a"
 *   abort-on-load        abort()
 *   abort-in-controller  the same in `martlet run`; like ok in its probes
 *   crash-on-load        reads address 0
 *   hang-on-load         never returns
 *   hang-in-controller   the same in `martlet run`; like ok in its probes
 *   hang-on-decode       decodes until it is aborted
 *   noisy                like ok, but prints to standard output and error
 *   tensors…             a model of tensors (see tensors.h)
 *   <anything else>      an error that quotes it
 *
 * A second word is the path of a file: while there is none, the model is like ok.
 *
 * -DFAULTY_ABI_VERSION=n, -DFAULTY_STRUCT_SIZE=n, -DFAULTY_CAPABILITIES=n, -DFAULTY_WITHOUT_DECODE,
 * -DFAULTY_WITHOUT_RUN and -DFAULTY_WITHOUT_SYMBOL make libraries that must be refused, -DFAULTY_WITHOUT_TENSORS one
 * as it was before engines could work on tensors, and -DFAULTY_ACCELERATED one that computes on an abacus.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "martlet_engine.h"

#ifndef FAULTY_ABI_VERSION
#define FAULTY_ABI_VERSION MARTLET_ENGINE_ABI_VERSION
#endif
#ifdef FAULTY_WITHOUT_TENSORS
#define FAULTY_STRUCT_SIZE offsetof(martlet_engine, describe_tensor)
#define FAULTY_CAPABILITIES MARTLET_CAN_GENERATE
#endif
#ifdef FAULTY_ACCELERATED
#define FAULTY_CAPABILITIES (MARTLET_CAN_GENERATE | MARTLET_CAN_ACCELERATE)
#endif
#ifndef FAULTY_STRUCT_SIZE
#define FAULTY_STRUCT_SIZE sizeof(martlet_engine)
#endif
#ifndef FAULTY_CAPABILITIES
#define FAULTY_CAPABILITIES (MARTLET_CAN_GENERATE | MARTLET_CAN_RUN_TENSORS)
#endif

struct martlet_model {
    char behaviour[64];
    char trigger[512];
    char architecture[64];
};

struct martlet_session {
    martlet_model *model;
    atomic_bool aborted;
};

struct martlet_sampler {
    martlet_session *session;
};

static martlet_status fail(martlet_error error, martlet_status status, const char *format, const char *text) {
    if (error.message != NULL && error.capacity > 0) snprintf(error.message, error.capacity, format, text);
    return status;
}

#include "tensors.h"

static void set_log(martlet_log log, void *context) {
    if (log != NULL) log(MARTLET_LOG_INFO, "the faulty engine is listening", context);
}

static martlet_status check_option(const martlet_option *option, martlet_error error) {
    return fail(error, MARTLET_INVALID, "the faulty engine has no option '%s'", option->name);
}

static bool is_triggered(const char *trigger) {
    return trigger[0] == '\0' || access(trigger, F_OK) == 0;
}

/* Whether this process is `martlet run`, and not a probe of it. */
static bool is_controller(void) {
    char words[4096] = "";
    FILE *file = fopen("/proc/self/cmdline", "r");
    if (file == NULL) return false;
    const size_t length = fread(words, 1, sizeof(words) - 1, file);
    fclose(file);
    const size_t second = strlen(words) + 1;
    return second < length && strcmp(words + second, "run") == 0;
}

static martlet_status open_model(const martlet_opening *opening, martlet_model **result, martlet_error error) {
    *result = NULL;
    char word[64] = "", trigger[512] = "";
    FILE *file = fopen(opening->file, "r");
    if (file == NULL) return fail(error, MARTLET_UNREADABLE, "there is no file '%s'", opening->file);
    if (fscanf(file, "%63s %511s", word, trigger) < 1) word[0] = '\0';
    fclose(file);
    if (!is_triggered(trigger) && strcmp(word, "hang-on-decode") != 0) strcpy(word, "ok");
    char *place = strstr(word, "-in-controller");
    if (place != NULL) {
        if (is_controller()) strcpy(place, "-on-load");
        else strcpy(word, "ok");
    }

    if (strcmp(word, "abort-on-load") == 0) {
        fprintf(stderr, "faulty: an assertion failed in the loader\n");
        abort();
    }
    if (strcmp(word, "crash-on-load") == 0) {
        signal(SIGSEGV, SIG_DFL); /* A sanitizer's handler would turn the signal into an exit. */
        return *(volatile int *)NULL;
    }
    while (strcmp(word, "hang-on-load") == 0) pause();
    if (strcmp(word, "noisy") == 0) {
        printf("loading, loading\n");
        fflush(stdout);
        fprintf(stderr, "still loading\n");
    } else if (strcmp(word, "ok") != 0 && strcmp(word, "hang-on-decode") != 0 && !works_on_tensors(word)) {
        return fail(error, MARTLET_UNREADABLE, "the vocabulary is '%s'", word);
    }
    martlet_model *model = malloc(sizeof(martlet_model));
    if (model == NULL) return fail(error, MARTLET_OUT_OF_MEMORY, "%s", "there is not enough memory");
    strcpy(model->behaviour, word);
    strcpy(model->trigger, trigger);
    const char *accelerator = opening->accelerator;
    snprintf(
        model->architecture, sizeof(model->architecture), "faulty%s%s",
        accelerator == NULL ? "" : " on ", accelerator == NULL ? "" : accelerator
    );
    *result = model;
    return MARTLET_OK;
}

static void close_model(martlet_model *model) {
    free(model);
}

static martlet_status describe_model(const martlet_model *model, martlet_description *description) {
    const int32_t tensors = works_on_tensors(model->behaviour) ? 1 : 0;
    const martlet_description values = {
        .struct_size = sizeof(martlet_description),
        .context_length = 64,
        .slots = 2,
        .batch_limit = 16,
        .vocabulary_size = 256,
        .beginning_token = -1,
        .ending_token = -1,
        .generates = tensors == 0,
        .weight_bytes = 64,
        .session_bytes = 16,
        .input_count = tensors,
        .output_count = tensors,
    };
    *description = values;
    return MARTLET_OK;
}

static size_t model_text(const martlet_model *model, int32_t which, char *buffer, size_t capacity) {
    if (which != MARTLET_TEXT_ARCHITECTURE) return 0;
    if (capacity > 0) snprintf(buffer, capacity, "%s", model->architecture);
    return strlen(model->architecture);
}

static martlet_status tokenize(
    const martlet_model *model,
    const martlet_segment *segments,
    size_t segment_count,
    int32_t *tokens,
    size_t capacity,
    size_t *count,
    martlet_error error
) {
    (void)model;
    (void)error;
    *count = 0;
    for (size_t segment = 0; segment < segment_count; segment += 1) {
        for (size_t index = 0; index < segments[segment].length; index += 1) {
            if (*count < capacity) tokens[*count] = (unsigned char)segments[segment].text[index];
            *count += 1;
        }
    }
    return MARTLET_OK;
}

static size_t token_bytes(const martlet_model *model, int32_t token, char *buffer, size_t capacity) {
    (void)model;
    if (token < 0 || token > 255) return 0;
    if (capacity > 0) buffer[0] = (char)token;
    return 1;
}

static bool ends_generation(const martlet_model *model, int32_t token) {
    (void)model;
    return token == 0;
}

static martlet_status open_session(martlet_model *model, martlet_session **result, martlet_error error) {
    martlet_session *session = calloc(1, sizeof(martlet_session));
    *result = session;
    if (session == NULL) return fail(error, MARTLET_OUT_OF_MEMORY, "%s", "there is not enough memory");
    session->model = model;
    return MARTLET_OK;
}

static void close_session(martlet_session *session) {
    free(session);
}

static martlet_status decode(martlet_session *session, const martlet_entry *entries, size_t count, martlet_error error) {
    (void)entries;
    (void)count;
    const bool hangs = strcmp(session->model->behaviour, "hang-on-decode") == 0;
    while (hangs && is_triggered(session->model->trigger) && !atomic_load(&session->aborted)) usleep(1000);
    if (atomic_load(&session->aborted)) return fail(error, MARTLET_ABORTED, "%s", "the session was aborted");
    return MARTLET_OK;
}

static void abort_session(martlet_session *session) {
    atomic_store(&session->aborted, true);
}

static martlet_status open_sampler(
    martlet_session *session,
    const martlet_sampling *sampling,
    martlet_sampler **result,
    martlet_error error
) {
    (void)sampling;
    martlet_sampler *sampler = malloc(sizeof(martlet_sampler));
    *result = sampler;
    if (sampler == NULL) return fail(error, MARTLET_OUT_OF_MEMORY, "%s", "there is not enough memory");
    sampler->session = session;
    return MARTLET_OK;
}

static void close_sampler(martlet_sampler *sampler) {
    free(sampler);
}

static martlet_status sample(martlet_sampler *sampler, size_t index, int32_t *token, martlet_error error) {
    (void)sampler;
    (void)index;
    (void)error;
    *token = 'a';
    return MARTLET_OK;
}

static martlet_status log_probabilities(
    const martlet_session *session,
    size_t index,
    int32_t chosen,
    double *chosen_log_probability,
    martlet_token_probability *top,
    size_t capacity,
    size_t *count,
    martlet_error error
) {
    (void)session;
    (void)index;
    (void)chosen;
    (void)chosen_log_probability;
    (void)top;
    (void)capacity;
    (void)count;
    return fail(error, MARTLET_UNSUPPORTED, "%s", "the faulty engine knows no probabilities");
}

static martlet_status embedding(
    const martlet_session *session,
    int32_t sequence,
    float *values,
    size_t capacity,
    martlet_error error
) {
    (void)session;
    (void)sequence;
    (void)values;
    (void)capacity;
    return fail(error, MARTLET_UNSUPPORTED, "%s", "the faulty engine gives no embeddings");
}

static martlet_status remove_tokens(martlet_session *session, int32_t sequence, int32_t from, int32_t to) {
    (void)session;
    (void)sequence;
    (void)from;
    (void)to;
    return MARTLET_OK;
}

static martlet_status copy_tokens(martlet_session *session, int32_t source, int32_t target, int32_t length) {
    (void)session;
    (void)source;
    (void)target;
    (void)length;
    return MARTLET_OK;
}

static martlet_status set_adapters(
    martlet_session *session,
    const size_t *indices,
    size_t count,
    martlet_error error
) {
    (void)session;
    (void)indices;
    return count == 0 ? MARTLET_OK : fail(error, MARTLET_INVALID, "%s", "the faulty engine has no adapters");
}

static const char *accelerator(size_t index) {
    return index == 0 ? "abacus" : NULL;
}

#ifndef FAULTY_WITHOUT_SYMBOL
const martlet_engine *martlet_engine_table(uint32_t host_abi_version) {
    (void)host_abi_version;
    static const martlet_engine table = {
        .abi_version = FAULTY_ABI_VERSION,
        .struct_size = FAULTY_STRUCT_SIZE,
        .capabilities = FAULTY_CAPABILITIES,
        .name = "faulty",
        .version = "1",
        .set_log = set_log,
        .check_option = check_option,
        .open_model = open_model,
        .close_model = close_model,
        .describe_model = describe_model,
        .model_text = model_text,
        .tokenize = tokenize,
        .token_bytes = token_bytes,
        .ends_generation = ends_generation,
        .open_session = open_session,
        .close_session = close_session,
#ifndef FAULTY_WITHOUT_DECODE
        .decode = decode,
#endif
        .abort_session = abort_session,
        .open_sampler = open_sampler,
        .close_sampler = close_sampler,
        .sample = sample,
        .log_probabilities = log_probabilities,
        .embedding = embedding,
        .remove_tokens = remove_tokens,
        .copy_tokens = copy_tokens,
        .set_adapters = set_adapters,
        .describe_tensor = describe_tensor,
#ifndef FAULTY_WITHOUT_RUN
        .run_tensors = run_tensors,
#endif
        .result_tensor = result_tensor,
        .release_result = release_result,
        .accelerator = accelerator,
    };
    return &table;
}
#endif
