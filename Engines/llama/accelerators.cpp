// What libllama computes on beside the CPU: whatever its build supports and this machine has.
#include <algorithm>
#include <cctype>

#include "internal.h"

namespace {

// `cuda`, `vulkan`, …: how ggml calls what drives the device, in lower case. Empty for the CPU and what helps it.
std::string accelerator_name(ggml_backend_dev_t device) {
    switch (ggml_backend_dev_type(device)) {
    case GGML_BACKEND_DEVICE_TYPE_GPU:
    case GGML_BACKEND_DEVICE_TYPE_IGPU: break;
    case GGML_BACKEND_DEVICE_TYPE_CPU:
    case GGML_BACKEND_DEVICE_TYPE_ACCEL:
    case GGML_BACKEND_DEVICE_TYPE_META: return "";
    }
    std::string name = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    return name;
}

std::vector<std::string> find_accelerators() {
    std::vector<std::string> names;
    for (size_t index = 0; index < ggml_backend_dev_count(); index += 1) {
        const std::string name = accelerator_name(ggml_backend_dev_get(index));
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

}  // namespace

const char *accelerator(size_t index) {
    static const std::vector<std::string> names = find_accelerators();
    return index < names.size() ? names[index].c_str() : nullptr;
}

std::vector<ggml_backend_dev_t> devices_of(const std::string &name) {
    std::vector<ggml_backend_dev_t> devices;
    for (size_t index = 0; !name.empty() && index < ggml_backend_dev_count(); index += 1) {
        const ggml_backend_dev_t device = ggml_backend_dev_get(index);
        if (accelerator_name(device) == name) devices.push_back(device);
    }
    if (devices.empty() && !name.empty()) {
        throw Refusal(MARTLET_UNSUPPORTED, "libllama finds no accelerator '" + name + "' on this machine");
    }
    devices.push_back(nullptr);
    return devices;
}

bool is_in_main_memory(ggml_backend_buffer_type_t type) {
    const ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
    return device == nullptr || accelerator_name(device).empty();
}
