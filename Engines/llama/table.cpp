// The engine's one exported function, and its log.
#include <mutex>

#include "internal.h"

namespace {

martlet_log host_log = nullptr;
void *host_context = nullptr;

// libllama logs in pieces; a line is complete at its line end.
thread_local std::string line;
thread_local std::string errors;

int32_t host_level(enum ggml_log_level level) {
    switch (level) {
    case GGML_LOG_LEVEL_ERROR: return MARTLET_LOG_ERROR;
    case GGML_LOG_LEVEL_WARN: return MARTLET_LOG_WARNING;
    case GGML_LOG_LEVEL_INFO: return MARTLET_LOG_INFO;
    case GGML_LOG_LEVEL_NONE:
    case GGML_LOG_LEVEL_CONT:
    case GGML_LOG_LEVEL_DEBUG: return MARTLET_LOG_DEBUG;
    }
    return MARTLET_LOG_DEBUG;
}

void receive(enum ggml_log_level level, const char *text, void *) {
    line += text;
    if (line.empty() || line.back() != '\n') return;
    while (!line.empty() && line.back() == '\n') line.pop_back();
    if (level == GGML_LOG_LEVEL_ERROR && errors.size() < 2000) {
        if (!errors.empty()) errors += "; ";
        errors += line;
    }
    if (host_log != nullptr && !line.empty()) host_log(host_level(level), line.c_str(), host_context);
    line.clear();
}

void start() {
    static std::once_flag once;
    std::call_once(once, [] {
        llama_log_set(receive, nullptr);
        llama_backend_init();
    });
}

}  // namespace

std::string take_logged_errors(const std::string &fallback) {
    std::string taken = errors.empty() ? fallback : errors;
    errors.clear();
    return taken;
}

void set_log(martlet_log log, void *context) {
    host_log = log;
    host_context = context;
}

extern "C" __attribute__((visibility("default"))) const martlet_engine *martlet_engine_table(uint32_t) {
    start();
    static const std::string version = std::string(llama_version());
    static const martlet_engine table = {
        MARTLET_ENGINE_ABI_VERSION,
        sizeof(martlet_engine),
        MARTLET_CAN_GENERATE | MARTLET_CAN_EMBED,
        "llama",
        version.c_str(),
        set_log,
        check_option,
        open_model,
        close_model,
        describe_model,
        model_text,
        tokenize,
        token_bytes,
        ends_generation,
        open_session,
        close_session,
        decode,
        abort_session,
        open_sampler,
        close_sampler,
        sample,
        log_probabilities,
        embedding,
        remove_tokens,
        copy_tokens,
        set_adapters,
    };
    return &table;
}
