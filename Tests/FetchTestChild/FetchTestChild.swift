internal import Foundation
internal import GitSource

/// What `martlet fetch-child` is, without the rest of martlet.
@main
enum FetchTestChild {
    static func main() {
        // What the thread sanitizer takes for itself is far beyond the bound of a fetch.
        let isSanitized = ProcessInfo.processInfo.environment["TSAN_OPTIONS"] != nil
        FetchChild.run(mostMemory: isSanitized ? nil : FetchChild.mostMemory)
    }
}
