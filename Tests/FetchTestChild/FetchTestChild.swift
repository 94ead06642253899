internal import GitSource

/// What `martlet fetch-child` is, without the rest of martlet.
@main
enum FetchTestChild {
    static func main() {
        FetchChild.run()
    }
}
