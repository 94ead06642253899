// Datatypes and shapes.
#include "internal.h"

namespace {

constexpr Datatype datatypes[] = {
    {MARTLET_TENSOR_BOOL, 9, 1, "BOOL"},     {MARTLET_TENSOR_UINT8, 2, 1, "UINT8"},
    {MARTLET_TENSOR_UINT16, 4, 2, "UINT16"}, {MARTLET_TENSOR_UINT32, 12, 4, "UINT32"},
    {MARTLET_TENSOR_UINT64, 13, 8, "UINT64"}, {MARTLET_TENSOR_INT8, 3, 1, "INT8"},
    {MARTLET_TENSOR_INT16, 5, 2, "INT16"},   {MARTLET_TENSOR_INT32, 6, 4, "INT32"},
    {MARTLET_TENSOR_INT64, 7, 8, "INT64"},   {MARTLET_TENSOR_FP16, 10, 2, "FP16"},
    {MARTLET_TENSOR_BF16, 16, 2, "BF16"},    {MARTLET_TENSOR_FP32, 1, 4, "FP32"},
    {MARTLET_TENSOR_FP64, 11, 8, "FP64"},    {MARTLET_TENSOR_BYTES, 8, 0, "BYTES"},
};

}  // namespace

const Datatype *datatype(int32_t martlet) {
    for (const Datatype &each : datatypes) {
        if (each.martlet == martlet) return &each;
    }
    return nullptr;
}

const Datatype *datatype_of_runtime(int ort) {
    for (const Datatype &each : datatypes) {
        if (each.ort == ort) return &each;
    }
    return nullptr;
}

std::string words(const int64_t *shape, size_t rank) {
    std::string text = "[";
    for (size_t index = 0; index < rank; index += 1) {
        if (index > 0) text += ", ";
        text += shape[index] < 0 ? "?" : std::to_string(shape[index]);
    }
    return text + "]";
}
