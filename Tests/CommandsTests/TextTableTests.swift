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
            Self.table.render(colour: false) == """
                NAME     SYNC        HEALTH     REASON
                Synced   Synced      Degraded   Held: it is Degraded
                b        OutOfSync   Unknown
                """
        )
    }

    @Test("Colours change no column, and stand only in those of the status")
    func coloured() {
        let text = Self.table.render(colour: true)
        #expect(
            text == """
                NAME     SYNC        HEALTH     REASON
                Synced   \u{1B}[32mSynced\u{1B}[0m      \u{1B}[31mDegraded\u{1B}[0m   Held: it is Degraded
                b        \u{1B}[33mOutOfSync\u{1B}[0m   Unknown
                """
        )
    }
}
