// Samplers: how the next token is chosen.
#include <algorithm>
#include <cmath>
#include <memory>

#include "internal.h"

namespace {

void require_finite(const martlet_sampling &sampling) {
    const float numbers[] = {
        sampling.temperature, sampling.top_p, sampling.min_p, sampling.frequency_penalty, sampling.presence_penalty,
    };
    for (const float number : numbers) {
        if (!std::isfinite(number)) throw Refusal(MARTLET_INVALID, "a sampling parameter is not a finite number");
    }
}

void fill_chain(martlet_sampler &sampler, const martlet_sampling &sampling) {
    const martlet_description &model = sampler.session->model->description;
    const auto add = [&](llama_sampler *link) { llama_sampler_chain_add(sampler.chain, link); };
    if (sampling.frequency_penalty != 0 || sampling.presence_penalty != 0) {
        add(llama_sampler_init_penalties(
            model.vocabulary_size, model.context_length, 1, sampling.frequency_penalty, sampling.presence_penalty
        ));
    }
    if (sampling.temperature <= 0) {
        add(llama_sampler_init_greedy());
        return;
    }
    if (sampling.top_k > 0) add(llama_sampler_init_top_k(sampling.top_k));
    if (sampling.top_p < 1) add(llama_sampler_init_top_p(sampling.top_p, 1));
    if (sampling.min_p > 0) add(llama_sampler_init_min_p(sampling.min_p, 1));
    if (sampling.temperature != 1) add(llama_sampler_init_temp(sampling.temperature));
    uint32_t seed = LLAMA_DEFAULT_SEED;
    // The library draws a seed of its own for that one value, so a caller who gives it gets its neighbour.
    if (sampling.has_seed) seed = sampling.seed == LLAMA_DEFAULT_SEED ? LLAMA_DEFAULT_SEED - 1 : sampling.seed;
    add(llama_sampler_init_dist(seed));
}

void refill(martlet_sampler &sampler, const float *logits) {
    const int32_t size = sampler.session->model->description.vocabulary_size;
    sampler.candidates.resize(static_cast<size_t>(size));
    for (int32_t token = 0; token < size; token += 1) {
        sampler.candidates[static_cast<size_t>(token)] = {token, logits[token], 0};
    }
    for (const martlet_bias &bias : sampler.biases) {
        sampler.candidates[static_cast<size_t>(bias.token)].logit += bias.value;
    }
}

// A host that was compiled before biases came has a shorter struct.
void take_biases(martlet_sampler &sampler, const martlet_sampling &sampling) {
    if (sampling.struct_size < sizeof(martlet_sampling)) return;
    const int32_t size = sampler.session->model->description.vocabulary_size;
    for (size_t index = 0; index < sampling.bias_count; index += 1) {
        const martlet_bias &bias = sampling.biases[index];
        if (bias.token < 0 || bias.token >= size) {
            throw Refusal(
                MARTLET_INVALID,
                "token " + std::to_string(bias.token) + " of a bias is not below the vocabulary's "
                    + std::to_string(size)
            );
        }
        if (std::isnan(bias.value)) throw Refusal(MARTLET_INVALID, "a bias is not a number");
        sampler.biases.push_back(bias);
    }
}

llama_token_data choose(martlet_sampler &sampler) {
    llama_token_data_array array = {sampler.candidates.data(), sampler.candidates.size(), -1, false};
    llama_sampler_apply(sampler.chain, &array);
    if (array.selected < 0 || static_cast<size_t>(array.selected) >= array.size) {
        throw Refusal(MARTLET_FAILED, "no token could be chosen");
    }
    return array.data[array.selected];
}

bool grammar_allows(martlet_sampler &sampler, llama_token token) {
    llama_token_data candidate = {token, 1, 0};
    llama_token_data_array array = {&candidate, 1, -1, false};
    llama_sampler_apply(sampler.grammar, &array);
    return std::isfinite(candidate.logit);
}

// The grammar is slow on a whole vocabulary, so it first judges the token that would be chosen without it.
llama_token choose_by_grammar(martlet_sampler &sampler, const float *logits) {
    const llama_token_data wish = choose(sampler);
    if (grammar_allows(sampler, wish.id)) return wish.id;
    refill(sampler, logits);
    llama_token_data_array array = {sampler.candidates.data(), sampler.candidates.size(), -1, false};
    llama_sampler_apply(sampler.grammar, &array);
    const llama_token_data chosen = choose(sampler);
    // libllama ends the process when a grammar is fed a token that it forbids.
    if (!std::isfinite(chosen.logit)) throw Refusal(MARTLET_INVALID, "the grammar allows no token here");
    return chosen.id;
}

}  // namespace

martlet_status open_sampler(
    martlet_session *session, const martlet_sampling *sampling, martlet_sampler **result, martlet_error error
) {
    *result = nullptr;
    return guarded(error, [&] {
        require_finite(*sampling);
        auto sampler = std::make_unique<martlet_sampler>();
        sampler->session = session;
        sampler->chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
        if (sampling->grammar != nullptr) {
            take_logged_errors("");
            const std::string text = sampling->grammar;
            sampler->grammar = text.empty() ? nullptr
                                            : llama_sampler_init_grammar(session->model->vocab, text.c_str(), "root");
            if (sampler->grammar == nullptr) {
                throw Refusal(
                    MARTLET_INVALID, take_logged_errors("the grammar is not valid GBNF with a rule named 'root'")
                );
            }
        }
        take_biases(*sampler, *sampling);
        fill_chain(*sampler, *sampling);
        *result = sampler.release();
    });
}

void close_sampler(martlet_sampler *sampler) {
    delete sampler;
}

martlet_status sample(martlet_sampler *sampler, size_t index, int32_t *token, martlet_error error) {
    return guarded(error, [&] {
        const float *logits = sampler->session->logits(index);
        refill(*sampler, logits);
        const llama_token chosen =
            sampler->grammar == nullptr ? choose(*sampler).id : choose_by_grammar(*sampler, logits);
        if (sampler->grammar != nullptr) llama_sampler_accept(sampler->grammar, chosen);
        llama_sampler_accept(sampler->chain, chosen);
        *token = chosen;
    });
}

martlet_status log_probabilities(
    const martlet_session *session, size_t index, int32_t chosen, double *chosen_log_probability,
    martlet_token_probability *top, size_t capacity, size_t *count, martlet_error error
) {
    return guarded(error, [&] {
        const float *logits = session->logits(index);
        const int32_t size = session->model->description.vocabulary_size;
        if (chosen < 0 || chosen >= size) throw Refusal(MARTLET_INVALID, "the chosen token is not in the vocabulary");
        const double highest = *std::max_element(logits, logits + size);
        double sum = 0;
        for (int32_t token = 0; token < size; token += 1) sum += std::exp(logits[token] - highest);
        const double normaliser = highest + std::log(sum);
        *chosen_log_probability = logits[chosen] - normaliser;

        std::vector<int32_t> order(static_cast<size_t>(size));
        for (int32_t token = 0; token < size; token += 1) order[static_cast<size_t>(token)] = token;
        *count = std::min(capacity, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(*count), order.end(), [&](int32_t a, int32_t b) {
            return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
        });
        for (size_t rank = 0; rank < *count; rank += 1) top[rank] = {order[rank], logits[order[rank]] - normaliser};
    });
}
