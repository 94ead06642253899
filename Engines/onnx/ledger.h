// How much memory each model takes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

// A file and how it is opened: what takes the same memory each time.
using Source = std::array<int64_t, 6>;

// Knows what models take. The allocator tells only what all of them take together, so that models which were not seen yet
// are opened one after the other, and what others take along or bring meanwhile is taken off. Those need not wait.
class Ledger {
public:
    // `allocated` tells the bytes that the allocator has given out.
    explicit Ledger(int64_t (*allocated)()) : allocated(allocated) {}

    // Opens a model by `open`, and returns its bytes.
    template <typename Open> int64_t opening(const std::optional<Source> &source, Open open) {
        if (const auto known = find(source)) return moving([&] { open(); }, *known);
        const std::lock_guard one_by_one(measuring);
        // A copy of it may just have been measured.
        if (const auto known = find(source)) return moving([&] { open(); }, *known);
        const auto [before, was_still] = others();
        open();
        const auto [after, is_still] = others();
        const int64_t bytes = std::max<int64_t>(after - before, 1);
        const std::lock_guard guard(lock);
        taken += bytes;
        if (source && was_still && is_still) sizes[*source] = bytes;
        return bytes;
    }

    // Gives a model's memory back by `close`.
    template <typename Close> void closing(int64_t bytes, Close close) { moving(close, -bytes); }

private:
    int64_t (*const allocated)();
    std::mutex measuring;
    std::mutex lock;
    std::map<Source, int64_t> sizes;
    // What the models that are open take.
    int64_t taken = 0;
    // Models of known size that are being opened or closed.
    int in_motion = 0;

    std::optional<int64_t> find(const std::optional<Source> &source) {
        const std::lock_guard guard(lock);
        const auto place = source ? sizes.find(*source) : sizes.end();
        return place == sizes.end() ? std::nullopt : std::optional(place->second);
    }

    // What is allocated besides models, and whether that is exact.
    std::pair<int64_t, bool> others() {
        const std::lock_guard guard(lock);
        return {allocated() - taken, in_motion == 0};
    }

    template <typename Move> int64_t moving(Move move, int64_t bytes) {
        struct Motion {
            Ledger &ledger;
            int64_t bytes = 0;
            explicit Motion(Ledger &ledger) : ledger(ledger) { change(1); }
            ~Motion() { change(-1); }
            void change(int count) {
                const std::lock_guard guard(ledger.lock);
                ledger.in_motion += count;
                ledger.taken += bytes;
            }
        } motion(*this);
        move();
        motion.bytes = bytes;
        return bytes;
    }
};
