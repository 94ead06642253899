// The engine's one exported function, and its log.
#include "internal.h"

namespace {

martlet_log host_log = nullptr;
void *host_context = nullptr;

int32_t host_level(int level) {
    switch (level) {
    case 0: return MARTLET_LOG_DEBUG;
    case 1: return MARTLET_LOG_INFO;
    case 2: return MARTLET_LOG_WARNING;
    default: return MARTLET_LOG_ERROR;
    }
}

}  // namespace

void receive_log(void *, int level, const char *, const char *, const char *, const char *message) {
    if (host_log != nullptr) host_log(host_level(level), message, host_context);
}

void set_log(martlet_log log, void *context) {
    host_log = log;
    host_context = context;
}

extern "C" __attribute__((visibility("default"))) const martlet_engine *martlet_engine_table(uint32_t) {
    static const martlet_engine table = [] {
        martlet_engine engine = {};
        engine.abi_version = MARTLET_ENGINE_ABI_VERSION;
        engine.struct_size = sizeof(martlet_engine);
        engine.capabilities = MARTLET_CAN_RUN_TENSORS;
        engine.name = "onnx";
        engine.version = runtime_version();
        engine.set_log = set_log;
        engine.check_option = check_option;
        engine.open_model = open_model;
        engine.close_model = close_model;
        engine.describe_model = describe_model;
        engine.model_text = model_text;
        engine.open_session = open_session;
        engine.close_session = close_session;
        engine.abort_session = abort_session;
        engine.describe_tensor = describe_tensor;
        engine.run_tensors = run_tensors;
        engine.result_tensor = result_tensor;
        engine.release_result = release_result;
        return engine;
    }();
    return &table;
}
