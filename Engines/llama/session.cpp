// Sessions: batches, caches, embeddings and adapters.
#include <algorithm>
#include <cmath>
#include <memory>

#include "internal.h"

namespace {

bool is_aborted(void *session) {
    return static_cast<martlet_session *>(session)->aborted.load(std::memory_order_relaxed);
}

void require_sequence(const martlet_session &session, int32_t sequence) {
    const int32_t slots = session.model->description.slots;
    if (sequence >= 0 && sequence < slots) return;
    throw Refusal(
        MARTLET_INVALID, "sequence " + std::to_string(sequence) + " is not one of " + std::to_string(slots) + " slots"
    );
}

// A sequence has no gaps: each entry follows what its cache, or an earlier entry, holds.
void require_continuous(const martlet_session &session, const martlet_entry *entries, size_t count) {
    std::vector<int32_t> next(static_cast<size_t>(session.model->description.slots), -1);
    for (size_t index = 0; index < count; index += 1) {
        const martlet_entry &entry = entries[index];
        int32_t &expected = next[static_cast<size_t>(entry.sequence)];
        if (expected < 0) {
            expected = session.memory == nullptr ? 0 : llama_memory_seq_pos_max(session.memory, entry.sequence) + 1;
        }
        if (entry.position != expected) {
            throw Refusal(
                MARTLET_INVALID,
                "position " + std::to_string(entry.position) + " of sequence " + std::to_string(entry.sequence)
                    + " should be " + std::to_string(expected)
            );
        }
        expected += 1;
    }
}

// libllama ends the process on some bad batches, so they are turned away here.
void require_valid(const martlet_session &session, const martlet_entry *entries, size_t count) {
    const martlet_description &model = session.model->description;
    if (count < 1 || count > static_cast<size_t>(model.batch_limit)) {
        throw Refusal(
            MARTLET_INVALID,
            "a batch has 1 to " + std::to_string(model.batch_limit) + " entries, not " + std::to_string(count)
        );
    }
    int32_t wanted = 0;
    for (size_t index = 0; index < count; index += 1) {
        const martlet_entry &entry = entries[index];
        require_sequence(session, entry.sequence);
        if (entry.token < 0 || entry.token >= model.vocabulary_size) {
            throw Refusal(MARTLET_INVALID, "token " + std::to_string(entry.token) + " is not in the vocabulary");
        }
        if (entry.position < 0 || entry.position >= model.context_length) {
            throw Refusal(
                MARTLET_INVALID,
                "position " + std::to_string(entry.position) + " is outside the context of "
                    + std::to_string(model.context_length) + " tokens"
            );
        }
        wanted += entry.wants_logits ? 1 : 0;
    }
    if (model.embedding_width == 0 && wanted > model.slots) {
        throw Refusal(MARTLET_INVALID, "at most " + std::to_string(model.slots) + " entries of a batch may want logits");
    }
    require_continuous(session, entries, count);
}

struct Batch {
    llama_batch batch;
    explicit Batch(size_t count) : batch(llama_batch_init(static_cast<int32_t>(count), 0, 1)) {}
    ~Batch() { llama_batch_free(batch); }
    Batch(const Batch &) = delete;
};

void compute(martlet_session &session, const martlet_entry *entries, size_t count) {
    const bool embeds = session.model->description.embedding_width > 0;
    Batch holder(count);
    llama_batch &batch = holder.batch;
    batch.n_tokens = static_cast<int32_t>(count);
    for (size_t index = 0; index < count; index += 1) {
        batch.token[index] = entries[index].token;
        batch.pos[index] = entries[index].position;
        batch.n_seq_id[index] = 1;
        batch.seq_id[index][0] = entries[index].sequence;
        // Pooling needs every token of a text.
        batch.logits[index] = embeds || entries[index].wants_logits;
    }
    take_logged_errors("");
    const int32_t status = session.memory != nullptr ? llama_decode(session.context, batch)
                                                     : llama_encode(session.context, batch);
    if (status == 0) return;
    if (status == 2 || is_aborted(&session)) throw Refusal(MARTLET_ABORTED, "the session was aborted");
    if (status == 1) throw Refusal(MARTLET_FAILED, "the cache has no room for the batch");
    const std::string fallback = "libllama could not compute the batch (status " + std::to_string(status) + ")";
    throw Refusal(MARTLET_FAILED, take_logged_errors(fallback));
}

}  // namespace

const float *martlet_session::logits(size_t index) const {
    if (index >= batch.size() || !batch[index].wants_logits) {
        throw Refusal(MARTLET_INVALID, "entry " + std::to_string(index) + " of the last batch asked for no logits");
    }
    if (!model->description.generates) throw Refusal(MARTLET_UNSUPPORTED, "the model, as it was opened, gives no logits");
    const float *values = llama_get_logits_ith(context, static_cast<int32_t>(index));
    if (values == nullptr) throw Refusal(MARTLET_FAILED, "libllama has no logits of that entry");
    return values;
}

martlet_status open_session(martlet_model *model, martlet_session **result, martlet_error error) {
    *result = nullptr;
    return guarded(error, [&] {
        auto session = std::make_unique<martlet_session>();
        session->model = model;
        session->context = make_context(*model, is_aborted, session.get());
        session->memory = llama_get_memory(session->context);
        *result = session.release();
    });
}

void close_session(martlet_session *session) {
    delete session;
    give_memory_back();
}

martlet_status decode(martlet_session *session, const martlet_entry *entries, size_t count, martlet_error error) {
    return guarded(error, [&] {
        session->batch.clear();
        if (is_aborted(session)) throw Refusal(MARTLET_ABORTED, "the session was aborted");
        require_valid(*session, entries, count);
        compute(*session, entries, count);
        session->batch.assign(entries, entries + count);
    });
}

void abort_session(martlet_session *session) {
    session->aborted.store(true, std::memory_order_relaxed);
}

martlet_status embedding(
    const martlet_session *session, int32_t sequence, float *values, size_t capacity, martlet_error error
) {
    return guarded(error, [&] {
        const size_t width = static_cast<size_t>(session->model->description.embedding_width);
        if (width == 0) {
            throw Refusal(MARTLET_UNSUPPORTED, "the model was opened without the option 'embeddings: true'");
        }
        if (capacity < width) throw Refusal(MARTLET_INVALID, "the buffer is shorter than the embedding");
        const bool asked = std::any_of(session->batch.begin(), session->batch.end(), [&](const martlet_entry &entry) {
            return entry.sequence == sequence && entry.wants_logits;
        });
        const float *pooled = asked ? llama_get_embeddings_seq(session->context, sequence) : nullptr;
        if (pooled == nullptr) {
            throw Refusal(
                MARTLET_INVALID, "sequence " + std::to_string(sequence) + " asked for nothing in the last batch"
            );
        }
        double squares = 0;
        for (size_t index = 0; index < width; index += 1) squares += static_cast<double>(pooled[index]) * pooled[index];
        const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
        for (size_t index = 0; index < width; index += 1) values[index] = static_cast<float>(pooled[index] * scale);
    });
}

martlet_status remove_tokens(martlet_session *session, int32_t sequence, int32_t from, int32_t to) {
    return guarded({nullptr, 0}, [&] {
        require_sequence(*session, sequence);
        if (session->memory == nullptr) return;
        if (!llama_memory_seq_rm(session->memory, sequence, std::max(from, 0), to < 0 ? -1 : to)) {
            throw Refusal(MARTLET_UNSUPPORTED, "the cache cannot forget a part of a sequence");
        }
    });
}

martlet_status copy_tokens(martlet_session *session, int32_t source, int32_t target, int32_t length) {
    return guarded({nullptr, 0}, [&] {
        require_sequence(*session, source);
        require_sequence(*session, target);
        if (session->memory == nullptr || source == target) return;
        llama_memory_seq_rm(session->memory, target, -1, -1);
        if (length <= 0) return;
        // Each slot has a buffer of its own, and libllama copies such buffers whole.
        llama_memory_seq_cp(session->memory, source, target, -1, -1);
        llama_memory_seq_rm(session->memory, target, length, -1);
    });
}

martlet_status set_adapters(martlet_session *session, const size_t *indices, size_t count, martlet_error error) {
    return guarded(error, [&] {
        std::vector<llama_adapter_lora *> adapters;
        std::vector<float> scales;
        for (size_t index = 0; index < count; index += 1) {
            if (indices[index] >= session->model->adapters.size()) {
                throw Refusal(MARTLET_INVALID, "the model has no adapter " + std::to_string(indices[index]));
            }
            adapters.push_back(session->model->adapters[indices[index]].lora);
            scales.push_back(session->model->adapters[indices[index]].scale);
        }
        if (llama_set_adapters_lora(session->context, adapters.data(), adapters.size(), scales.data()) != 0) {
            throw Refusal(MARTLET_FAILED, "libllama could not set the adapters");
        }
    });
}
