import ArgumentParser
import Testing

@testable import Commands

/// Selecting by labels, as kubectl does.
struct LabelSelectorTests {
    private let labels = ["team": "search", "tier": "2"]

    @Test(
        "All terms must hold",
        arguments: [
            ("team=search", true), ("team==search", true), ("team=ads", false), ("team!=ads", true),
            ("owner!=ads", true),
            ("team!=search", false), ("team", true), ("owner", false), ("!owner", true), ("!team", false),
            ("team=search,tier=2", true), ("team=search,tier=3", false), ("owner=", false),
        ]
    )
    func matches(selector: String, isMatch: Bool) throws {
        #expect(try LabelSelector(selector).matches(self.labels) == isMatch)
    }

    @Test("None selects everything")
    func none() throws {
        #expect(try LabelSelector(nil).matches([:]))
    }

    @Test("What is no selector is refused", arguments: ["", "=a", "a,,b", "!", "a b", "!=x"])
    func refuses(selector: String) {
        #expect(throws: ValidationError.self) { try LabelSelector(selector) }
    }
}
