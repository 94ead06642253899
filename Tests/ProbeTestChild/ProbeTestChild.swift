internal import Engines

/// What `martlet probe-child` is, without the rest of martlet.
@main
enum ProbeTestChild {
    static func main() {
        ProbeChild.run()
    }
}
