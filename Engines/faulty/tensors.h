/*
 * The faulty engine's models of tensors: one input `x` of any length, which comes back as the output `y`.
 *
 *   tensors              FP32, and all is well
 *   tensors-bytes        the same with BYTES
 *   tensors-hanging      runs until it is aborted
 *   tensors-failing      every run fails
 *   tensors-undescribed  of a datatype that there is not
 *   tensors-nothing      a run gives nothing, and says that all is well
 *   tensors-missing      its result lacks the output
 *   tensors-renamed, tensors-retyped, tensors-short, tensors-negative, tensors-shapeless, tensors-torn
 *                        what comes back is not what the model says, or not whole
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "martlet_engine.h"

struct martlet_result {
    const char *behaviour;
    int32_t datatype;
    int64_t count;
    size_t length;
    char data[];
};

static bool works_on_tensors(const char *behaviour) {
    return strncmp(behaviour, "tensors", strlen("tensors")) == 0;
}

static int32_t tensor_datatype(const char *behaviour) {
    if (strcmp(behaviour, "tensors-undescribed") == 0) return 99;
    const bool has_texts = strcmp(behaviour, "tensors-bytes") == 0 || strcmp(behaviour, "tensors-torn") == 0;
    return has_texts ? MARTLET_TENSOR_BYTES : MARTLET_TENSOR_FP32;
}

static martlet_status describe_tensor(
    const martlet_model *model,
    bool is_input,
    size_t index,
    martlet_tensor_description *description
) {
    static const int64_t shape[] = {-1};
    if (index > 0) return MARTLET_INVALID;
    const martlet_tensor_description values = {
        .struct_size = sizeof(martlet_tensor_description),
        .datatype = tensor_datatype(model->behaviour),
        .name = is_input ? "x" : "y",
        .shape = shape,
        .rank = 1,
    };
    *description = values;
    return MARTLET_OK;
}

static martlet_status run_tensors(
    martlet_session *session,
    const martlet_tensor *inputs,
    size_t input_count,
    const char *const *outputs,
    size_t output_count,
    martlet_result **result,
    martlet_error error
) {
    (void)input_count;
    (void)outputs;
    (void)output_count;
    *result = NULL;
    const char *behaviour = session->model->behaviour;
    while (strcmp(behaviour, "tensors-hanging") == 0 && !atomic_load(&session->aborted)) usleep(1000);
    if (atomic_load(&session->aborted)) return fail(error, MARTLET_ABORTED, "%s", "the session was aborted");
    if (strcmp(behaviour, "tensors-failing") == 0) return fail(error, MARTLET_FAILED, "%s", "the graph is tired");
    if (strcmp(behaviour, "tensors-nothing") == 0) return MARTLET_OK;
    const size_t length = inputs[0].length;
    martlet_result *found = malloc(sizeof(martlet_result) + length);
    if (found == NULL) return fail(error, MARTLET_OUT_OF_MEMORY, "%s", "there is not enough memory");
    found->behaviour = behaviour;
    found->datatype = inputs[0].datatype;
    found->count = inputs[0].shape[0];
    found->length = length;
    if (length > 0) memcpy(found->data, inputs[0].data, length);
    if (strcmp(behaviour, "tensors-retyped") == 0) found->datatype = MARTLET_TENSOR_INT64;
    if (strcmp(behaviour, "tensors-negative") == 0) found->count = -1;
    const bool is_cut = strcmp(behaviour, "tensors-short") == 0 || strcmp(behaviour, "tensors-torn") == 0;
    if (is_cut && length > 0) found->length -= 1;
    *result = found;
    return MARTLET_OK;
}

static martlet_status result_tensor(const martlet_result *result, size_t index, martlet_tensor *tensor) {
    if (index > 0 || strcmp(result->behaviour, "tensors-missing") == 0) return MARTLET_INVALID;
    const martlet_tensor values = {
        .name = strcmp(result->behaviour, "tensors-renamed") == 0 ? "z" : "y",
        .datatype = result->datatype,
        .shape = strcmp(result->behaviour, "tensors-shapeless") == 0 ? NULL : &result->count,
        .rank = 1,
        .data = result->data,
        .length = result->length,
    };
    *tensor = values;
    return MARTLET_OK;
}

static void release_result(martlet_result *result) {
    free(result);
}
