// Models: opening, describing and closing them.
#include <malloc.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "internal.h"

namespace {

// A model trained on very long texts gets this much unless the manifest asks for more: caches cost memory.
constexpr int64_t default_context_cap = 4096;
constexpr int64_t default_batch_size = 512;

std::string metadata(const llama_model *model, const std::string &key) {
    char buffer[256];
    const int32_t length = llama_model_meta_val_str(model, key.c_str(), buffer, sizeof(buffer));
    return length < 0 ? "" : std::string(buffer);
}

llama_model *load(const char *file, const std::string &accelerator) {
    llama_model_params parameters = llama_model_default_params();
    std::vector<ggml_backend_dev_t> devices = devices_of(accelerator);
    parameters.devices = devices.data();
    // All of them, or none.
    parameters.n_gpu_layers = accelerator.empty() ? 0 : -1;
    // Read, not mapped: a mapped file that is cut short later would end the process with SIGBUS.
    parameters.load_mode = LLAMA_LOAD_MODE_NONE;
    take_logged_errors("");
    llama_model *model = llama_model_load_from_file(file, parameters);
    if (model == nullptr) {
        throw Refusal(MARTLET_UNREADABLE, take_logged_errors("the file is not a GGUF model that libllama can load"));
    }
    return model;
}

// Refuses kinds of models that the ABI's sequences cannot express.
void require_supported(const martlet_model &model) {
    const std::string what = "a model of architecture '" + model.architecture + "' ";
    if (llama_vocab_type(model.vocab) == LLAMA_VOCAB_TYPE_NONE) {
        throw Refusal(MARTLET_UNSUPPORTED, "the file carries no vocabulary");
    }
    if (llama_model_has_encoder(model.model) && llama_model_has_decoder(model.model)) {
        throw Refusal(MARTLET_UNSUPPORTED, what + "has both an encoder and a decoder; only one of them is supported");
    }
    if (llama_model_is_recurrent(model.model) || llama_model_is_hybrid(model.model)) {
        throw Refusal(MARTLET_UNSUPPORTED, what + "keeps a running state that cannot be cut back; it is not supported");
    }
    if (llama_model_is_diffusion(model.model)) {
        throw Refusal(MARTLET_UNSUPPORTED, what + "writes by diffusion; it is not supported");
    }
}

void settle_context_length(martlet_model &model) {
    const int64_t trained = llama_model_n_ctx_train(model.model);
    if (trained < 1) throw Refusal(MARTLET_UNREADABLE, "the file declares no context length");
    if (model.options.context_length > trained) {
        throw Refusal(
            MARTLET_INVALID,
            "'contextLength' is " + std::to_string(model.options.context_length) + ", but the model was trained for "
                + std::to_string(trained) + " tokens"
        );
    }
    if (model.options.context_length == 0) {
        model.options.context_length = std::min(trained, default_context_cap);
    }
}

void settle_pooling(martlet_model &model) {
    if (model.options.pooling != LLAMA_POOLING_TYPE_UNSPECIFIED) return;
    const std::string declared = metadata(model.model, model.architecture + ".pooling_type");
    if (declared == "2") {
        model.options.pooling = LLAMA_POOLING_TYPE_CLS;
    } else if (declared == "3") {
        model.options.pooling = LLAMA_POOLING_TYPE_LAST;
    } else if (declared == "4") {
        throw Refusal(MARTLET_UNSUPPORTED, "the model ranks pairs of texts; it gives no embeddings");
    } else {
        model.options.pooling = LLAMA_POOLING_TYPE_MEAN;
    }
}

void load_adapters(martlet_model &model, const martlet_opening &opening) {
    for (size_t index = 0; index < opening.adapter_count; index += 1) {
        const martlet_adapter &adapter = opening.adapters[index];
        take_logged_errors("");
        llama_adapter_lora *lora = llama_adapter_lora_init(model.model, adapter.file);
        if (lora == nullptr) {
            throw Refusal(
                MARTLET_UNREADABLE,
                std::string("adapter '") + adapter.file + "': "
                    + take_logged_errors("the file is not a GGUF adapter for this model")
            );
        }
        model.adapters.push_back({lora, adapter.scale});
        struct stat status;
        if (stat(adapter.file, &status) == 0) model.description.weight_bytes += status.st_size;
    }
}

std::vector<std::string> special_spellings(const llama_vocab *vocab) {
    std::vector<std::string> spellings;
    for (int32_t token = 0; token < llama_vocab_n_tokens(vocab); token += 1) {
        const int attributes = llama_vocab_get_attr(vocab, token);
        if ((attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0) {
            spellings.push_back(llama_vocab_get_text(vocab, token));
        }
    }
    return spellings;
}

// Sees what the tokenizer itself puts around a text, since each kind of vocabulary has its own flags for that.
void describe_surroundings(martlet_model &model) {
    const auto tokens = [&](bool add_special) {
        std::vector<llama_token> buffer(16);
        const int32_t count = llama_tokenize(model.vocab, "a", 1, buffer.data(), 16, add_special, false);
        buffer.resize(count > 0 ? count : 0);
        return buffer;
    };
    const std::vector<llama_token> plain = tokens(false);
    const std::vector<llama_token> dressed = tokens(true);
    martlet_description &description = model.description;
    const llama_token beginning = llama_vocab_bos(model.vocab);
    description.beginning_token = beginning == LLAMA_TOKEN_NULL ? -1 : beginning;
    description.adds_beginning_token = dressed.size() > plain.size() && dressed.front() == beginning;
    const bool adds_ending = dressed.size() > plain.size() + (description.adds_beginning_token ? 1 : 0);
    description.ending_token = adds_ending ? dressed.back() : -1;
}

// Opens a session's context once, to learn what it costs and whether the model keeps a cache at all.
void measure_session(martlet_model &model) {
    using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;
    Context context(make_context(model, nullptr, nullptr), llama_free);
    const bool generates = llama_get_memory(context.get()) != nullptr;
    if (!generates && model.options.embeddings != 1) {
        if (model.options.embeddings == 0) {
            throw Refusal(MARTLET_INVALID, "'embeddings' is false, but an encoder gives nothing else");
        }
        model.options.embeddings = 1;
        settle_pooling(model);
        context.reset();
        context.reset(make_context(model, nullptr, nullptr));
    }
    martlet_description &description = model.description;
    for (const auto &[type, bytes] : llama_get_memory_breakdown(context.get())) {
        if (!is_in_main_memory(type)) continue;
        description.weight_bytes += static_cast<int64_t>(bytes.model);
        description.session_bytes += static_cast<int64_t>(bytes.context + bytes.compute);
    }
    // A context that pools gives no logits, whatever the model could do in another one.
    description.generates = generates && model.options.embeddings != 1;
    description.batch_limit = static_cast<int32_t>(llama_n_batch(context.get()));
    description.embedding_width = model.options.embeddings == 1 ? llama_model_n_embd_out(model.model) : 0;
}

}  // namespace

llama_context *make_context(const martlet_model &model, ggml_abort_callback abort, void *abort_data) {
    const bool embeds = model.options.embeddings == 1;
    const int64_t cells = model.options.context_length * model.options.slots;
    int64_t batch = model.options.batch_size > 0 ? model.options.batch_size : default_batch_size;
    // Pooling works on one batch, so a whole text must fit.
    if (embeds) batch = std::max(batch, model.options.context_length);
    batch = std::min(batch, cells);

    llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = static_cast<uint32_t>(cells);
    parameters.n_batch = static_cast<uint32_t>(batch);
    parameters.n_ubatch = static_cast<uint32_t>(batch);
    parameters.n_seq_max = static_cast<uint32_t>(model.options.slots);
    // Scratch for the logits of every entry would dwarf the caches of a model with a large vocabulary.
    parameters.n_outputs_max = static_cast<uint32_t>(embeds ? batch : std::min(batch, model.options.slots));
    parameters.n_threads = model.threads;
    parameters.n_threads_batch = model.threads;
    // Otherwise an accelerator that happens to be there would be used for large batches.
    parameters.op_offload = !model.accelerator.empty();
    parameters.offload_kqv = !model.accelerator.empty();
    parameters.pooling_type = embeds ? model.options.pooling : LLAMA_POOLING_TYPE_NONE;
    parameters.embeddings = embeds;
    parameters.abort_callback = abort;
    parameters.abort_callback_data = abort_data;
    // A buffer for each slot: with one for all, every token would attend over what the other slots hold, idle ones too.
    // The price is that a shared prefix is copied. Pooling wants the texts of a batch in one pass, so they share one.
    parameters.kv_unified = embeds;

    take_logged_errors("");
    llama_context *context = llama_init_from_model(model.model, parameters);
    if (context == nullptr) {
        throw Refusal(MARTLET_FAILED, take_logged_errors("libllama could not allocate the session"));
    }
    return context;
}

martlet_status open_model(const martlet_opening *opening, martlet_model **result, martlet_error error) {
    *result = nullptr;
    return guarded(error, [&] {
        auto model = std::make_unique<martlet_model>();
        for (size_t index = 0; index < opening->option_count; index += 1) {
            apply_option(opening->options[index], model->options);
        }
        model->threads = std::max(opening->threads, 1);
        model->accelerator = accelerator_of(*opening);
        model->model = load(opening->file, model->accelerator);
        model->vocab = llama_model_get_vocab(model->model);
        model->architecture = metadata(model->model, "general.architecture");
        require_supported(*model);
        settle_context_length(*model);
        if (model->options.embeddings == 1) settle_pooling(*model);
        load_adapters(*model, *opening);
        measure_session(*model);
        model->specials = special_spellings(model->vocab);
        describe_surroundings(*model);
        model->description.context_length = static_cast<int32_t>(model->options.context_length);
        model->description.slots = static_cast<int32_t>(model->options.slots);
        model->description.vocabulary_size = llama_vocab_n_tokens(model->vocab);
        *result = model.release();
    });
}

void give_memory_back() {
    malloc_trim(0);
}

void close_model(martlet_model *model) {
    delete model;
    give_memory_back();
}

martlet_status describe_model(const martlet_model *model, martlet_description *description) {
    if (description->struct_size < sizeof(martlet_description)) return MARTLET_INVALID;
    *description = model->description;
    description->struct_size = sizeof(martlet_description);
    return MARTLET_OK;
}

size_t model_text(const martlet_model *model, int32_t which, char *buffer, size_t capacity) {
    std::string text;
    if (which == MARTLET_TEXT_ARCHITECTURE) {
        text = model->architecture;
    } else if (which == MARTLET_TEXT_CHAT_TEMPLATE) {
        const char *chat_template = llama_model_chat_template(model->model, nullptr);
        if (chat_template != nullptr) text = chat_template;
    }
    copy_text(text.data(), text.size(), buffer, capacity);
    return text.size();
}
