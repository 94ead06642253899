// The options that a manifest may give a model of this engine.
#include "internal.h"

namespace {

std::string quoted(const martlet_option &option) {
    return std::string("'") + option.name + "'";
}

int64_t integer(const martlet_option &option, int64_t lowest, int64_t highest) {
    if (option.kind != MARTLET_OPTION_INTEGER || option.integer < lowest || option.integer > highest) {
        throw Refusal(
            MARTLET_INVALID,
            quoted(option) + " must be an integer from " + std::to_string(lowest) + " to " + std::to_string(highest)
        );
    }
    return option.integer;
}

bool boolean(const martlet_option &option) {
    if (option.kind != MARTLET_OPTION_BOOL) throw Refusal(MARTLET_INVALID, quoted(option) + " must be true or false");
    return option.boolean;
}

enum llama_pooling_type pooling(const martlet_option &option) {
    const std::string text = option.kind == MARTLET_OPTION_TEXT ? option.text : "";
    if (text == "mean") return LLAMA_POOLING_TYPE_MEAN;
    if (text == "cls") return LLAMA_POOLING_TYPE_CLS;
    if (text == "last") return LLAMA_POOLING_TYPE_LAST;
    throw Refusal(MARTLET_INVALID, quoted(option) + " must be one of mean, cls, last");
}

}  // namespace

void apply_option(const martlet_option &option, Options &options) {
    const std::string name = option.name;
    if (name == "contextLength") {
        options.context_length = integer(option, 8, 1 << 24);
    } else if (name == "slots") {
        options.slots = integer(option, 1, 64);
    } else if (name == "batchSize") {
        options.batch_size = integer(option, 1, 1 << 16);
    } else if (name == "embeddings") {
        options.embeddings = boolean(option) ? 1 : 0;
    } else if (name == "pooling") {
        options.pooling = pooling(option);
    } else {
        throw Refusal(
            MARTLET_INVALID,
            "the llama engine has no option " + quoted(option)
                + "; it knows batchSize, contextLength, embeddings, pooling, slots"
        );
    }
}

martlet_status check_option(const martlet_option *option, martlet_error error) {
    return guarded(error, [&] {
        Options ignored;
        apply_option(*option, ignored);
    });
}
