// What engines in C++ share: errors that cross the ABI as a status and a sentence.
#pragma once

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

#include "martlet_engine.h"

// A failure with the status that the caller shall see.
struct Refusal : std::runtime_error {
    martlet_status status;
    Refusal(martlet_status status, const std::string &message) : std::runtime_error(message), status(status) {}
};

// Copies a text into a caller's buffer, NUL-terminated, cut on a character boundary.
inline void copy_text(const char *text, size_t length, char *buffer, size_t capacity) {
    if (buffer == nullptr || capacity == 0) return;
    size_t count = length < capacity ? length : capacity - 1;
    if (count < length) {
        while (count > 0 && (static_cast<unsigned char>(text[count]) & 0xC0) == 0x80) count -= 1;
    }
    for (size_t index = 0; index < count; index += 1) buffer[index] = text[index];
    buffer[count] = '\0';
}

// Runs a body so that no exception leaves this library.
template <class Body>
martlet_status guarded(martlet_error error, Body body) noexcept {
    try {
        body();
        return MARTLET_OK;
    } catch (const Refusal &refusal) {
        copy_text(refusal.what(), std::char_traits<char>::length(refusal.what()), error.message, error.capacity);
        return refusal.status;
    } catch (const std::bad_alloc &) {
        static const std::string message = "there is not enough memory";
        copy_text(message.data(), message.size(), error.message, error.capacity);
        return MARTLET_OUT_OF_MEMORY;
    } catch (const std::exception &other) {
        copy_text(other.what(), std::char_traits<char>::length(other.what()), error.message, error.capacity);
        return MARTLET_FAILED;
    } catch (...) {
        static const std::string message = "an unknown error was thrown";
        copy_text(message.data(), message.size(), error.message, error.capacity);
        return MARTLET_FAILED;
    }
}

// What a model shall be opened on beside the CPU, empty for nothing; a host from before there were any says nothing.
inline std::string accelerator_of(const martlet_opening &opening) {
    const size_t end = offsetof(martlet_opening, accelerator) + sizeof(opening.accelerator);
    return opening.struct_size >= end && opening.accelerator != nullptr ? opening.accelerator : "";
}
