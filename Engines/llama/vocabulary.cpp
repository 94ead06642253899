// The vocabulary: text to tokens and back.
#include <algorithm>

#include "internal.h"

namespace {

struct Span {
    size_t begin;
    size_t end;
};

void append_tokens(const martlet_model &model, const std::string &text, bool parse_special, std::vector<int32_t> &tokens) {
    if (text.empty()) return;
    if (text.size() > INT32_MAX / 2) throw Refusal(MARTLET_INVALID, "the text is longer than a gigabyte");
    const size_t start = tokens.size();
    const int32_t length = static_cast<int32_t>(text.size());
    tokens.resize(start + text.size() + 8);
    int32_t count = llama_tokenize(
        model.vocab, text.data(), length, tokens.data() + start, static_cast<int32_t>(tokens.size() - start), false,
        parse_special
    );
    if (count < 0 && count != INT32_MIN) {
        tokens.resize(start + static_cast<size_t>(-count));
        count = llama_tokenize(model.vocab, text.data(), length, tokens.data() + start, -count, false, parse_special);
    }
    if (count < 0) throw Refusal(MARTLET_FAILED, "libllama could not tokenize the text");
    tokens.resize(start + static_cast<size_t>(count));
}

// Whether a spelt-out special token touches text that must stay plain.
bool forges(const martlet_model &model, const std::string &text, const std::vector<Span> &plain) {
    for (const std::string &special : model.specials) {
        if (special.empty()) continue;
        for (size_t at = text.find(special); at != std::string::npos; at = text.find(special, at + 1)) {
            const size_t end = at + special.size();
            const bool touches = std::any_of(plain.begin(), plain.end(), [&](const Span &span) {
                return at < span.end && span.begin < end;
            });
            if (touches) return true;
        }
    }
    return false;
}

}  // namespace

martlet_status tokenize(
    const martlet_model *model, const martlet_segment *segments, size_t segment_count, int32_t *tokens,
    size_t capacity, size_t *count, martlet_error error
) {
    return guarded(error, [&] {
        std::string whole;
        std::vector<Span> plain;
        for (size_t index = 0; index < segment_count; index += 1) {
            const size_t begin = whole.size();
            whole.append(segments[index].text, segments[index].length);
            if (!segments[index].parse_special) plain.push_back({begin, whole.size()});
        }
        std::vector<int32_t> result;
        if (!forges(*model, whole, plain)) {
            // Tokens may then reach across segments, exactly as in the text that the model was trained on.
            append_tokens(*model, whole, true, result);
        } else {
            for (size_t index = 0; index < segment_count; index += 1) {
                const martlet_segment &segment = segments[index];
                append_tokens(*model, std::string(segment.text, segment.length), segment.parse_special, result);
            }
        }
        *count = result.size();
        std::copy_n(result.begin(), std::min(result.size(), capacity), tokens);
    });
}

size_t token_bytes(const martlet_model *model, int32_t token, char *buffer, size_t capacity) {
    if (token < 0 || token >= llama_vocab_n_tokens(model->vocab)) return 0;
    const int32_t limit = static_cast<int32_t>(std::min<size_t>(capacity, INT32_MAX));
    const int32_t count = llama_token_to_piece(model->vocab, token, buffer, limit, 0, false);
    return static_cast<size_t>(count < 0 ? -count : count);
}

bool ends_generation(const martlet_model *model, int32_t token) {
    if (token < 0 || token >= llama_vocab_n_tokens(model->vocab)) return false;
    return llama_vocab_is_eog(model->vocab, token);
}
