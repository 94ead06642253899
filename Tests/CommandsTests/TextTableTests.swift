import Testing

@testable import Commands

struct TextTableTests {
    private static let table: TextTable = {
        var table = TextTable(["NAME", "SYNC", "HEALTH", "REASON"])
        table.add(["Synced", "Synced", "Degraded", "Held: it is Degraded"])
        table.add(["b", "OutOfSync", "Unknown", ""])
        return table
    }()

    @Test("Without colour a table is plain text, aligned")
    func plain() {
        #expect(
            Self.table.render(colour: false, columns: nil) == """
                NAME     SYNC        HEALTH     REASON
                Synced   Synced      Degraded   Held: it is Degraded
                b        OutOfSync   Unknown
                """
        )
    }

    @Test(
        "On a terminal that is too narrow, the widest texts are cut that may be, and never to nothing",
        arguments: [
            (nil, "1   somebody@example.com   because it is so"), (43, "1   somebody@example.com   because it is so"),
            (42, "1   somebody@example.c…   because it is so"), (30, "1   somebody@e…   because it …"),
            (5, "1   someb…   becau…"),
        ] as [(Int?, String)]
    )
    func narrow(columns: Int?, line: String) {
        var table = TextTable(["N", "WHO", "WHY"], shortening: ["WHO", "WHY"])
        table.add(["1", "somebody@example.com", "because it is so"])
        #expect(table.render(colour: false, columns: columns).split(separator: "\n").last.map(String.init) == line)
        var whole = TextTable(["N", "WHO", "WHY"])
        whole.add(["1", "somebody@example.com", "because it is so"])
        #expect(whole.render(colour: false, columns: 5).hasSuffix("1   somebody@example.com   because it is so"))
    }

    @Test("Colours change no column, and stand only in those of the status")
    func coloured() {
        let text = Self.table.render(colour: true, columns: nil)
        #expect(
            text == """
                NAME     SYNC        HEALTH     REASON
                Synced   \u{1B}[32mSynced\u{1B}[0m      \u{1B}[31mDegraded\u{1B}[0m   Held: it is Degraded
                b        \u{1B}[33mOutOfSync\u{1B}[0m   Unknown
                """
        )
    }
}
