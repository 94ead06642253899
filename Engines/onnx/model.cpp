// Opens and describes models.
#include <malloc.h>
#include <sys/stat.h>

#include <cstring>

#include "internal.h"
#include "ledger.h"

namespace {

// What the allocator has given out, in bytes.
int64_t allocated() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

std::optional<Source> source_of(const char *file, const Options &options) {
    struct stat status;
    if (stat(file, &status) != 0) return std::nullopt;
    return Source{
        static_cast<int64_t>(status.st_dev), static_cast<int64_t>(status.st_ino), status.st_size,
        status.st_mtim.tv_sec, status.st_mtim.tv_nsec, options.optimization,
    };
}

Ledger &ledger() {
    static Ledger one(allocated);
    return one;
}

std::string name_at(const martlet_model &model, bool is_input, size_t index) {
    const Runtime &ort = runtime();
    char *name = nullptr;
    check((is_input ? ort.input_name : ort.output_name)(model.session.get(), index, ort.allocator, &name));
    const std::string copy = name;
    check(ort.free_memory(ort.allocator, name));
    return copy;
}

TensorType type_at(const martlet_model &model, bool is_input, size_t index) {
    const Runtime &ort = runtime();
    TensorType tensor;
    tensor.name = name_at(model, is_input, index);
    const std::string what = std::string(is_input ? "input" : "output") + " '" + tensor.name + "'";
    const auto type = make<OrtTypeInfo>([&](OrtTypeInfo **result) {
        return (is_input ? ort.input_type : ort.output_type)(model.session.get(), index, result);
    });
    int kind = 0;
    check(ort.kind(type.get(), &kind));
    if (kind != ort_kind_tensor) {
        const char *what_it_is = kind == ort_kind_sequence ? "a sequence" : kind == ort_kind_map ? "a map" : "no tensor";
        throw Refusal(
            MARTLET_UNSUPPORTED,
            what + " is " + what_it_is + ", and only tensors can be served; export the model without it "
                + "(scikit-learn's converter: options={'zipmap': False})"
        );
    }
    const OrtTensorTypeAndShapeInfo *info = nullptr;
    check(ort.tensor_type(type.get(), &info));
    int ort_datatype = 0;
    check(ort.datatype(info, &ort_datatype));
    const Datatype *known = datatype_of_runtime(ort_datatype);
    if (known == nullptr) {
        throw Refusal(
            MARTLET_UNSUPPORTED,
            what + " has a datatype that cannot be served (number " + std::to_string(ort_datatype) + " of ONNX)"
        );
    }
    tensor.datatype = known->martlet;
    tensor.any_shape = !ort.has_shape(info);
    size_t rank = 0;
    check(ort.rank(info, &rank));
    tensor.shape.resize(rank);
    check(ort.shape(info, tensor.shape.data(), rank));
    return tensor;
}

void describe_tensors(martlet_model &model) {
    const Runtime &ort = runtime();
    size_t inputs = 0, outputs = 0;
    check(ort.input_count(model.session.get(), &inputs));
    check(ort.output_count(model.session.get(), &outputs));
    for (size_t index = 0; index < inputs; index += 1) model.inputs.push_back(type_at(model, true, index));
    for (size_t index = 0; index < outputs; index += 1) model.outputs.push_back(type_at(model, false, index));
}

Owned<OrtSessionOptions> session_options(const Options &options) {
    const Runtime &ort = runtime();
    auto result = make<OrtSessionOptions>(ort.create_session_options);
    check(ort.share_threads(result.get()));
    // An arena and a memory plan would make a model faster by little, and keep what it once needed for good.
    check(ort.disable_arena(result.get()));
    check(ort.disable_memory_pattern(result.get()));
    check(ort.set_optimization(result.get(), options.optimization));
    return result;
}

// Opens a model that gives back the one number it takes. What the runtime makes for the first model of a process, its
// tables of operators above all, stays for all the others, and is no part of what that model takes.
void open_smallest(const OrtSessionOptions *settings) {
    static constexpr unsigned char model[] = {
        0x08, 8,                                                // ir_version
        0x42, 2, 0x10, 13,                                      // opset_import
        0x3a, 55,                                               // graph
        0x0a, 16, 0x0a, 1, 'x', 0x12, 1, 'y', 0x22, 8, 'I', 'd', 'e', 'n', 't', 'i', 't', 'y',  // node
        0x12, 1, 'g',                                           // name
        0x5a, 15, 0x0a, 1, 'x', 0x12, 10, 0x0a, 8, 0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 1,          // input
        0x62, 15, 0x0a, 1, 'y', 0x12, 10, 0x0a, 8, 0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 1,          // output
    };
    make<OrtSession>([&](OrtSession **session) {
        return runtime().create_session_from_bytes(runtime().environment, model, sizeof(model), settings, session);
    });
}

}  // namespace

void apply_option(const martlet_option &option, Options &options) {
    const std::string name = option.name;
    if (name != "optimization") {
        throw Refusal(MARTLET_INVALID, "the onnx engine has no option '" + name + "'; it knows optimization");
    }
    const std::string text = option.kind == MARTLET_OPTION_TEXT ? option.text : "";
    if (text == "none") {
        options.optimization = 0;
    } else if (text == "basic") {
        options.optimization = 1;
    } else if (text == "extended") {
        options.optimization = 2;
    } else if (text == "all") {
        options.optimization = 99;
    } else {
        throw Refusal(MARTLET_INVALID, "'optimization' must be one of none, basic, extended, all");
    }
}

martlet_status check_option(const martlet_option *option, martlet_error error) {
    return guarded(error, [&] {
        Options ignored;
        apply_option(*option, ignored);
    });
}

martlet_status open_model(const martlet_opening *opening, martlet_model **result, martlet_error error) {
    *result = nullptr;
    return guarded(error, [&] {
        if (opening->adapter_count > 0) throw Refusal(MARTLET_UNSUPPORTED, "the onnx engine knows no adapters");
        const std::string accelerator = accelerator_of(*opening);
        if (!accelerator.empty()) {
            throw Refusal(MARTLET_UNSUPPORTED, "the onnx engine knows no accelerator '" + accelerator + "'");
        }
        Options options;
        for (size_t index = 0; index < opening->option_count; index += 1) {
            apply_option(opening->options[index], options);
        }
        const auto settings = session_options(options);
        static std::once_flag is_warm;
        std::call_once(is_warm, [&] { open_smallest(settings.get()); });
        auto model = std::make_unique<martlet_model>();
        model->bytes = ledger().opening(source_of(opening->file, options), [&] {
            model->session = make<OrtSession>([&](OrtSession **session) {
                return runtime().create_session(runtime().environment, opening->file, settings.get(), session);
            });
            describe_tensors(*model);
        });
        *result = model.release();
    });
}

void close_model(martlet_model *model) {
    static std::atomic<int64_t> closed{0};
    const int64_t bytes = model->bytes;
    ledger().closing(bytes, [model] { delete model; });
    // The allocator keeps what it thinks will be needed again, and a host that counts its memory must see that models
    // are gone. Looking through all heaps takes a while, so small models wait for each other.
    if (closed.fetch_add(bytes, std::memory_order_relaxed) + bytes < 8 << 20) return;
    closed.store(0, std::memory_order_relaxed);
    malloc_trim(0);
}

martlet_status describe_model(const martlet_model *model, martlet_description *description) {
    if (description->struct_size < sizeof(martlet_description)) return MARTLET_INVALID;
    *description = {};
    description->struct_size = sizeof(martlet_description);
    description->beginning_token = -1;
    description->ending_token = -1;
    description->weight_bytes = model->bytes;
    description->input_count = static_cast<int32_t>(model->inputs.size());
    description->output_count = static_cast<int32_t>(model->outputs.size());
    return MARTLET_OK;
}

martlet_status describe_tensor(
    const martlet_model *model, bool is_input, size_t index, martlet_tensor_description *description
) {
    const std::vector<TensorType> &tensors = is_input ? model->inputs : model->outputs;
    if (index >= tensors.size() || description->struct_size < sizeof(martlet_tensor_description)) return MARTLET_INVALID;
    const TensorType &tensor = tensors[index];
    *description = {
        sizeof(martlet_tensor_description), tensor.datatype, tensor.name.c_str(), tensor.shape.data(),
        tensor.shape.size(), tensor.any_shape,
    };
    return MARTLET_OK;
}

size_t model_text(const martlet_model *, int32_t which, char *buffer, size_t capacity) {
    const char *text = which == MARTLET_TEXT_ARCHITECTURE ? "onnx" : "";
    copy_text(text, std::strlen(text), buffer, capacity);
    return std::strlen(text);
}
