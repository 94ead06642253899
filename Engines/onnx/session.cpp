// Runs models.
#include <algorithm>
#include <cstring>

#include "internal.h"

namespace {

[[noreturn]] void refuse(const TensorType &type, const std::string &why) {
    throw Refusal(MARTLET_INVALID, "input '" + type.name + "' " + why);
}

const TensorType &input_named(const martlet_model &model, const char *name) {
    for (const TensorType &each : model.inputs) {
        if (each.name == name) return each;
    }
    std::string known;
    for (const TensorType &each : model.inputs) known += (known.empty() ? "" : ", ") + each.name;
    throw Refusal(MARTLET_INVALID, std::string("the model has no input '") + name + "'; it knows " + known);
}

void require_shape(const TensorType &type, const martlet_tensor &tensor) {
    bool fits = type.any_shape || tensor.rank == type.shape.size();
    for (size_t index = 0; fits && index < tensor.rank; index += 1) {
        const bool is_open = type.any_shape || type.shape[index] < 0;
        fits = tensor.shape[index] >= 0 && (is_open || type.shape[index] == tensor.shape[index]);
    }
    if (fits) return;
    refuse(
        type, "has the shape " + words(tensor.shape, tensor.rank) + " where the model takes "
            + words(type.shape.data(), type.shape.size())
    );
}

// The number of elements, as far as `limit`; every element takes a byte at least, so that more cannot be right.
size_t element_count(const TensorType &type, const martlet_tensor &tensor, size_t limit) {
    // However large the other sizes are, no element is left.
    if (std::count(tensor.shape, tensor.shape + tensor.rank, 0) > 0) return 0;
    size_t count = 1;
    for (size_t index = 0; index < tensor.rank; index += 1) {
        const auto size = static_cast<uint64_t>(tensor.shape[index]);
        if (size > limit / count) {
            refuse(type, "has fewer data than its shape " + words(tensor.shape, tensor.rank) + " needs");
        }
        count *= size;
    }
    return count;
}

Owned<OrtValue> texts_from(const TensorType &type, const martlet_tensor &tensor, int ort_datatype) {
    const Runtime &ort = runtime();
    const size_t count = element_count(type, tensor, tensor.length / 4);
    auto value = make<OrtValue>([&](OrtValue **result) {
        return ort.create_tensor(ort.allocator, tensor.shape, tensor.rank, ort_datatype, result);
    });
    const char *bytes = static_cast<const char *>(tensor.data);
    size_t left = tensor.length;
    for (size_t index = 0; index < count; index += 1) {
        uint32_t length = 0;
        if (left < sizeof(length)) refuse(type, "ends within the length of text " + std::to_string(index));
        std::memcpy(&length, bytes, sizeof(length));
        bytes += sizeof(length);
        left -= sizeof(length);
        if (left < length) refuse(type, "ends within text " + std::to_string(index));
        char *buffer = nullptr;
        check(ort.text_buffer(value.get(), index, length, &buffer));
        std::memcpy(buffer, bytes, length);
        bytes += length;
        left -= length;
    }
    if (left > 0) refuse(type, "has " + std::to_string(left) + " bytes behind its last text");
    return value;
}

Owned<OrtValue> value_from(const TensorType &type, const martlet_tensor &tensor) {
    const Runtime &ort = runtime();
    const Datatype *wanted = datatype(type.datatype);
    const Datatype *given = datatype(tensor.datatype);
    if (given == nullptr) refuse(type, "has the unknown datatype " + std::to_string(tensor.datatype));
    if (given != wanted) refuse(type, std::string("is ") + given->name + " where the model takes " + wanted->name);
    require_shape(type, tensor);
    if (given->width == 0) return texts_from(type, tensor, given->ort);
    const size_t count = element_count(type, tensor, tensor.length / given->width);
    if (count * given->width != tensor.length) {
        refuse(
            type, "has " + std::to_string(tensor.length) + " bytes where its shape "
                + words(tensor.shape, tensor.rank) + " needs " + std::to_string(count * given->width)
        );
    }
    // The runtime writes to no input, though its interface does not say so; it wants an address even for no data.
    static char nothing = 0;
    void *data = tensor.length > 0 ? const_cast<void *>(tensor.data) : &nothing;
    return make<OrtValue>([&](OrtValue **result) {
        return ort.wrap_tensor(ort.memory, data, tensor.length, tensor.shape, tensor.rank, given->ort, result);
    });
}

// Spells texts as the ABI wants them: each with its length in front.
void spell_texts(ResultTensor &tensor, size_t count) {
    const Runtime &ort = runtime();
    size_t total = 0;
    check(ort.text_length(tensor.value.get(), &total));
    std::vector<char> bytes(total);
    std::vector<size_t> offsets(count);
    if (count > 0) check(ort.texts(tensor.value.get(), bytes.data(), total, offsets.data(), count));
    tensor.texts.reserve(total + 4 * count);
    for (size_t index = 0; index < count; index += 1) {
        const size_t end = index + 1 < count ? offsets[index + 1] : total;
        const auto length = static_cast<uint32_t>(end - offsets[index]);
        const char *spelt = reinterpret_cast<const char *>(&length);
        tensor.texts.insert(tensor.texts.end(), spelt, spelt + sizeof(length));
        tensor.texts.insert(tensor.texts.end(), bytes.data() + offsets[index], bytes.data() + end);
    }
    tensor.data = tensor.texts.data();
    tensor.length = tensor.texts.size();
}

ResultTensor result_from(Owned<OrtValue> value, const std::string &name) {
    const Runtime &ort = runtime();
    ResultTensor tensor;
    tensor.name = name;
    tensor.value = std::move(value);
    int kind = 0;
    check(ort.value_kind(tensor.value.get(), &kind));
    if (kind != ort_kind_tensor) throw Refusal(MARTLET_UNSUPPORTED, "output '" + name + "' is no tensor");
    const auto type = make<OrtTensorTypeAndShapeInfo>([&](OrtTensorTypeAndShapeInfo **result) {
        return ort.value_type(tensor.value.get(), result);
    });
    int ort_datatype = 0;
    check(ort.datatype(type.get(), &ort_datatype));
    const Datatype *known = datatype_of_runtime(ort_datatype);
    if (known == nullptr) throw Refusal(MARTLET_UNSUPPORTED, "output '" + name + "' has a datatype that cannot be served");
    tensor.datatype = known->martlet;
    size_t rank = 0;
    check(ort.rank(type.get(), &rank));
    tensor.shape.resize(rank);
    check(ort.shape(type.get(), tensor.shape.data(), rank));
    size_t count = 1;
    for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
    if (known->width == 0) {
        spell_texts(tensor, count);
    } else {
        void *data = nullptr;
        if (count > 0) check(ort.tensor_data(tensor.value.get(), &data));
        tensor.data = data;
        tensor.length = count * known->width;
    }
    return tensor;
}

// The names of the outputs to compute; all of the model's where none is named.
std::vector<const char *> output_names(const martlet_model &model, const char *const *outputs, size_t count) {
    std::vector<const char *> names(outputs, outputs + count);
    if (count == 0) {
        for (const TensorType &each : model.outputs) names.push_back(each.name.c_str());
    }
    for (size_t index = 0; index < count; index += 1) {
        bool known = false;
        for (const TensorType &each : model.outputs) known = known || each.name == outputs[index];
        if (!known) throw Refusal(MARTLET_INVALID, std::string("the model has no output '") + outputs[index] + "'");
    }
    return names;
}

}  // namespace

martlet_status open_session(martlet_model *model, martlet_session **result, martlet_error error) {
    *result = nullptr;
    return guarded(error, [&] {
        auto session = std::make_unique<martlet_session>();
        session->model = model;
        session->options = make<OrtRunOptions>(runtime().create_run_options);
        *result = session.release();
    });
}

void close_session(martlet_session *session) {
    delete session;
}

void abort_session(martlet_session *session) {
    session->aborted.store(true, std::memory_order_relaxed);
    OrtStatus *status = runtime().terminate(session->options.get());
    if (status != nullptr) runtime().release_status(status);
}

martlet_status run_tensors(
    martlet_session *session, const martlet_tensor *inputs, size_t input_count, const char *const *outputs,
    size_t output_count, martlet_result **result, martlet_error error
) {
    *result = nullptr;
    return guarded(error, [&] {
        if (session->aborted.load(std::memory_order_relaxed)) {
            throw Refusal(MARTLET_ABORTED, "the session was aborted");
        }
        const martlet_model &model = *session->model;
        const std::vector<const char *> wanted = output_names(model, outputs, output_count);
        std::vector<Owned<OrtValue>> values;
        std::vector<const char *> names;
        std::vector<const OrtValue *> pointers;
        for (size_t index = 0; index < input_count; index += 1) {
            const TensorType &type = input_named(model, inputs[index].name);
            values.push_back(value_from(type, inputs[index]));
            names.push_back(type.name.c_str());
            pointers.push_back(values.back().get());
        }
        std::vector<OrtValue *> answers(wanted.size(), nullptr);
        OrtStatus *status = runtime().run(
            model.session.get(), session->options.get(), names.data(), pointers.data(), names.size(), wanted.data(),
            wanted.size(), answers.data()
        );
        std::vector<Owned<OrtValue>> owned;
        for (OrtValue *answer : answers) owned.emplace_back(answer);
        if (status != nullptr && session->aborted.load(std::memory_order_relaxed)) {
            runtime().release_status(status);
            throw Refusal(MARTLET_ABORTED, "the session was aborted");
        }
        check(status);
        auto found = std::make_unique<martlet_result>();
        for (size_t index = 0; index < owned.size(); index += 1) {
            found->tensors.push_back(result_from(std::move(owned[index]), wanted[index]));
        }
        *result = found.release();
    });
}

martlet_status result_tensor(const martlet_result *result, size_t index, martlet_tensor *tensor) {
    if (index >= result->tensors.size()) return MARTLET_INVALID;
    const ResultTensor &found = result->tensors[index];
    *tensor = {
        found.name.c_str(), found.datatype, found.shape.data(), found.shape.size(), found.data, found.length,
    };
    return MARTLET_OK;
}

void release_result(martlet_result *result) {
    delete result;
}
