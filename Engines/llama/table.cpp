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
    static const martlet_engine table = [] {
        martlet_engine engine = {};
        engine.abi_version = MARTLET_ENGINE_ABI_VERSION;
        engine.struct_size = sizeof(martlet_engine);
        engine.capabilities = MARTLET_CAN_GENERATE | MARTLET_CAN_EMBED | MARTLET_CAN_ACCELERATE | MARTLET_CAN_BIAS;
        engine.name = "llama";
        engine.version = version.c_str();
        engine.set_log = set_log;
        engine.check_option = check_option;
        engine.open_model = open_model;
        engine.close_model = close_model;
        engine.describe_model = describe_model;
        engine.model_text = model_text;
        engine.tokenize = tokenize;
        engine.token_bytes = token_bytes;
        engine.ends_generation = ends_generation;
        engine.open_session = open_session;
        engine.close_session = close_session;
        engine.decode = decode;
        engine.abort_session = abort_session;
        engine.open_sampler = open_sampler;
        engine.close_sampler = close_sampler;
        engine.sample = sample;
        engine.log_probabilities = log_probabilities;
        engine.embedding = embedding;
        engine.remove_tokens = remove_tokens;
        engine.copy_tokens = copy_tokens;
        engine.set_adapters = set_adapters;
        engine.accelerator = accelerator;
        return engine;
    }();
    return &table;
}
