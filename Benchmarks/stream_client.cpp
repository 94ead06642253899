// A client that costs next to nothing: streams chat completions, counts their events and times them.
//
//   stream_client PORT STREAMS ROUNDS
//
// Reads STREAMS x ROUNDS request bodies from standard input, one a line. Each stream is a connection of its own that
// sends its next request as soon as its last answer is complete. Prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

int open_connection(uint16_t port) {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0) {
        throw std::runtime_error("nobody listens there");
    }
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return connection;
}

// The number after the last `"name":` of a text; -1 where there is none.
int64_t last_number(const std::string &text, const std::string &name) {
    const std::string key = "\"" + name + "\":";
    const size_t at = text.rfind(key);
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + key.size(), 20));
}

struct Stream {
    int connection = -1;
    std::vector<std::string> bodies;
    size_t next = 0;
    bool is_waiting = false;
    Clock::time_point begin;
    // The answer that is coming in, and how much of it has been searched.
    std::string answer;
    size_t searched = 0;
    int64_t events = 0;
    double first = 0;
    Clock::time_point last;
    std::vector<double> between;

    int64_t all_events = 0, tokens = 0, prompt_tokens = 0;
    std::vector<double> firsts, wholes, gaps;

    void ask() {
        is_waiting = true;
        const std::string &body = bodies[next++];
        const std::string request = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                                    "content-type: application/json\r\ncontent-length: "
                                    + std::to_string(body.size()) + "\r\n\r\n" + body;
        begin = Clock::now();
        for (size_t sent = 0; sent < request.size();) {
            const ssize_t count = send(connection, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) throw std::runtime_error("the connection broke");
            sent += static_cast<size_t>(count);
        }
        answer.clear();
        searched = 0;
        events = 0;
        between.clear();
    }

    // Takes what has come; at an answer's end sends the next request.
    void receive(char *buffer, size_t capacity) {
        const ssize_t count = recv(connection, buffer, capacity, 0);
        if (count <= 0) throw std::runtime_error("the server ended the connection:\n" + answer);
        answer.append(buffer, static_cast<size_t>(count));
        static const std::string event = "\ndata: ";
        size_t at;
        while ((at = answer.find(event, searched)) != std::string::npos) {
            searched = at + event.size();
            events += 1;
            // The first event says who speaks, the second brings the first token.
            if (events == 2) first = seconds_since(begin);
            if (events > 2) between.push_back(seconds_since(last));
            last = Clock::now();
        }
        searched = std::max(searched, answer.size() - std::min(answer.size(), event.size() - 1));
        const std::string_view last_chunk = "0\r\n\r\n";
        const size_t length = std::min(answer.size(), last_chunk.size());
        const bool is_complete = answer.compare(answer.size() - length, length, last_chunk) == 0;
        if (is_complete || (events == 0 && answer.compare(0, 12, "HTTP/1.1 200") != 0)) finish();
    }

    void finish() {
        const double whole = seconds_since(begin);
        const int64_t written = last_number(answer, "completion_tokens");
        if (answer.find("\ndata: [DONE]") == std::string::npos || written < 0) {
            throw std::runtime_error("not the answer that was asked for:\n" + answer);
        }
        all_events += events;
        tokens += written;
        prompt_tokens += last_number(answer, "prompt_tokens");
        firsts.push_back(first);
        wholes.push_back(whole);
        // What ends an answer comes in three events: its reason, its usage, and [DONE].
        gaps.insert(gaps.end(), between.begin(), between.end() - std::min<ptrdiff_t>(3, static_cast<ptrdiff_t>(between.size())));
        is_waiting = false;
        if (next < bodies.size()) ask();
    }
};

std::string list(const std::vector<Stream> &streams, std::vector<double> Stream::*values) {
    std::string text;
    for (const Stream &stream : streams) {
        for (const double value : stream.*values) text += (text.empty() ? "" : ", ") + std::to_string(value);
    }
    return "[" + text + "]";
}

void run(uint16_t port, size_t stream_count, size_t rounds) {
    std::vector<Stream> streams(stream_count);
    std::string line;
    for (size_t index = 0; index < stream_count * rounds && std::getline(std::cin, line); index += 1) {
        streams[index % stream_count].bodies.push_back(line);
    }
    for (Stream &stream : streams) stream.connection = open_connection(port);
    std::vector<char> buffer(1 << 16);
    std::vector<pollfd> polled(stream_count);
    const Clock::time_point begin = Clock::now();
    for (Stream &stream : streams) stream.ask();
    for (size_t open = stream_count; open > 0;) {
        for (size_t index = 0; index < stream_count; index += 1) {
            polled[index] = {streams[index].is_waiting ? streams[index].connection : -1, POLLIN, 0};
        }
        poll(polled.data(), polled.size(), -1);
        for (size_t index = 0; index < stream_count; index += 1) {
            if ((polled[index].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
            streams[index].receive(buffer.data(), buffer.size());
            if (!streams[index].is_waiting) open -= 1;
        }
    }
    const double seconds = seconds_since(begin);
    int64_t events = 0, tokens = 0, prompt_tokens = 0;
    for (const Stream &stream : streams) {
        events += stream.all_events;
        tokens += stream.tokens;
        prompt_tokens += stream.prompt_tokens;
        close(stream.connection);
    }
    std::printf(
        "{\"seconds\": %.6f, \"tokens\": %lld, \"promptTokens\": %lld, \"events\": %lld, \"cpuSeconds\": %.6f, "
        "\"first\": %s, \"whole\": %s, \"gaps\": %s}\n",
        seconds, static_cast<long long>(tokens), static_cast<long long>(prompt_tokens), static_cast<long long>(events),
        cpu_seconds(), list(streams, &Stream::firsts).c_str(), list(streams, &Stream::wholes).c_str(),
        list(streams, &Stream::gaps).c_str()
    );
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: stream_client PORT STREAMS ROUNDS\n");
        return 2;
    }
    try {
        run(static_cast<uint16_t>(std::stoi(arguments[1])), std::stoul(arguments[2]), std::stoul(arguments[3]));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "stream_client: %s\n", error.what());
        return 1;
    }
    return 0;
}
