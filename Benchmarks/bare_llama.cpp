// The yardstick: a loop over libllama and nothing else, with the context parameters of Martlet's llama engine.
//
//   bare_llama MODEL.gguf CONTEXT SLOTS THREADS
//
// Reads tasks from standard input: a line "STREAMS ROUNDS TOKENS", then STREAMS x ROUNDS lines, each what a user said.
// A round reads the prompts of all its streams in one batch, then writes TOKENS tokens to each, one batch for all
// streams at a time, greedily. Prints one line of JSON for each task.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "llama.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double cpu_seconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval &time) { return static_cast<double>(time.tv_sec) + time.tv_usec * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Task {
    int32_t streams = 0;
    int32_t rounds = 0;
    int32_t tokens = 0;
    std::vector<std::string> messages;
};

struct Bare {
    llama_model *model = nullptr;
    llama_context *context = nullptr;
    llama_sampler *sampler = nullptr;
    llama_batch batch = {};

    Bare(const char *file, int32_t context_length, int32_t slots, int32_t threads) {
        llama_model_params loading = llama_model_default_params();
        loading.n_gpu_layers = 0;
        loading.load_mode = LLAMA_LOAD_MODE_NONE;
        model = llama_model_load_from_file(file, loading);
        if (model == nullptr) throw std::runtime_error("the model does not load");

        llama_context_params parameters = llama_context_default_params();
        parameters.n_ctx = static_cast<uint32_t>(context_length * slots);
        parameters.n_batch = 512;
        parameters.n_ubatch = 512;
        parameters.n_seq_max = static_cast<uint32_t>(slots);
        parameters.n_outputs_max = static_cast<uint32_t>(slots);
        parameters.n_threads = threads;
        parameters.n_threads_batch = threads;
        parameters.pooling_type = LLAMA_POOLING_TYPE_NONE;
        parameters.kv_unified = false;
        context = llama_init_from_model(model, parameters);
        if (context == nullptr) throw std::runtime_error("there is no memory for the context");

        sampler = llama_sampler_chain_init(llama_sampler_chain_default_params());
        llama_sampler_chain_add(sampler, llama_sampler_init_greedy());
        batch = llama_batch_init(512, 0, 1);
    }

    ~Bare() {
        llama_batch_free(batch);
        if (sampler != nullptr) llama_sampler_free(sampler);
        if (context != nullptr) llama_free(context);
        if (model != nullptr) llama_model_free(model);
    }
    Bare(const Bare &) = delete;

    std::vector<llama_token> prompt(const std::string &message) const {
        const std::string text = "<|im_start|>user\n" + message + "<|im_end|>\n<|im_start|>assistant\n";
        std::vector<llama_token> tokens(text.size() + 8);
        const int32_t count = llama_tokenize(
            llama_model_get_vocab(model), text.data(), static_cast<int32_t>(text.size()), tokens.data(),
            static_cast<int32_t>(tokens.size()), false, true
        );
        if (count < 0) throw std::runtime_error("the message could not be tokenized");
        tokens.resize(static_cast<size_t>(count));
        return tokens;
    }

    void add(llama_token token, int32_t position, int32_t sequence, bool wants_logits) {
        const int32_t index = batch.n_tokens++;
        batch.token[index] = token;
        batch.pos[index] = position;
        batch.n_seq_id[index] = 1;
        batch.seq_id[index][0] = sequence;
        batch.logits[index] = wants_logits;
    }

    void decode() {
        if (llama_decode(context, batch) != 0) throw std::runtime_error("libllama could not compute a batch");
    }

    // Answers one message for each stream; returns the prompts' tokens, and gives the time of the first new tokens and
    // those between two.
    int32_t answer(
        const std::string *messages, int32_t streams, int32_t tokens, double *first, std::vector<double> *gaps
    ) {
        const Clock::time_point begin = Clock::now();
        Clock::time_point last = begin;
        llama_memory_clear(llama_get_memory(context), false);
        std::vector<int32_t> positions, samples;
        batch.n_tokens = 0;
        for (int32_t stream = 0; stream < streams; stream += 1) {
            const std::vector<llama_token> read = prompt(messages[stream]);
            for (size_t index = 0; index < read.size(); index += 1) {
                add(read[index], static_cast<int32_t>(index), stream, index + 1 == read.size());
            }
            positions.push_back(static_cast<int32_t>(read.size()));
            samples.push_back(batch.n_tokens - 1);
        }
        const int32_t prompt_tokens = batch.n_tokens;
        for (int32_t written = 0; written < tokens; written += 1) {
            decode();
            std::vector<llama_token> chosen;
            for (const int32_t index : samples) chosen.push_back(llama_sampler_sample(sampler, context, index));
            if (written == 0) *first = seconds_since(begin);
            else gaps->push_back(seconds_since(last));
            last = Clock::now();
            batch.n_tokens = 0;
            for (int32_t stream = 0; stream < streams; stream += 1) {
                samples[stream] = stream;
                add(chosen[stream], positions[stream], stream, true);
                positions[stream] += 1;
            }
        }
        return prompt_tokens;
    }

    void run(const Task &task) {
        int64_t prompt_tokens = 0;
        std::string firsts, wholes, between;
        std::vector<double> gaps;
        const double cpu = cpu_seconds();
        const Clock::time_point begin = Clock::now();
        for (int32_t round = 0; round < task.rounds; round += 1) {
            double first = 0;
            const Clock::time_point start = Clock::now();
            prompt_tokens += answer(&task.messages[round * task.streams], task.streams, task.tokens, &first, &gaps);
            const std::string separator = round == 0 ? "" : ", ";
            firsts += separator + std::to_string(first);
            wholes += separator + std::to_string(seconds_since(start));
        }
        const double seconds = seconds_since(begin);
        for (const double gap : gaps) between += (between.empty() ? "" : ", ") + std::to_string(gap);
        std::printf(
            "{\"seconds\": %.6f, \"tokens\": %lld, \"promptTokens\": %lld, \"cpuSeconds\": %.6f, "
            "\"first\": [%s], \"whole\": [%s], \"gaps\": [%s]}\n",
            seconds, static_cast<long long>(task.streams) * task.rounds * task.tokens,
            static_cast<long long>(prompt_tokens), cpu_seconds() - cpu, firsts.c_str(), wholes.c_str(), between.c_str()
        );
        std::fflush(stdout);
    }
};

bool read(Task &task) {
    if (!(std::cin >> task.streams >> task.rounds >> task.tokens)) return false;
    std::string line;
    std::getline(std::cin, line);
    task.messages.clear();
    while (task.messages.size() < static_cast<size_t>(task.streams) * task.rounds && std::getline(std::cin, line)) {
        task.messages.push_back(line);
    }
    return task.messages.size() == static_cast<size_t>(task.streams) * task.rounds;
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 5) {
        std::fprintf(stderr, "usage: bare_llama MODEL.gguf CONTEXT SLOTS THREADS\n");
        return 2;
    }
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    try {
        Bare bare(arguments[1], std::stoi(arguments[2]), std::stoi(arguments[3]), std::stoi(arguments[4]));
        std::printf("ready\n");
        std::fflush(stdout);
        for (Task task; read(task);) bare.run(task);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bare_llama: %s\n", error.what());
        return 1;
    }
    return 0;
}
