/// Numbers with their nouns.
enum Counted {
    /// `no errors`, `1 error`, `2 errors`.
    static func words(_ count: Int, _ noun: String) -> String {
        switch count {
        case 0: "no \(noun)s"
        case 1: "1 \(noun)"
        default: "\(count) \(noun)s"
        }
    }
}
