import Testing

/// `martlet backup` and `martlet restore`: what they ask for, and what they say.
struct StateVerbTests {
    @Test(arguments: [
        (["backup", "b"], ["file: \"b\"", "withArtifacts: false", "replacing: false", "wrote b: 2 files, 2 KiB"]),
        (["backup", "b", "--with-artifacts", "--force"], ["withArtifacts: true", "replacing: true"]),
        (["backup", "b", "--state-dir", "/s"], ["\"/s\""]),
        (["backup", "b", "-o", "json"], ["\"bytes\" : 2048"]),
        (
            ["restore", "b"],
            ["replacing: false", "restored b of 1970-01-01", "kept as /state/control.db.before-restore-1"]
        ),
        (["restore", "b", "--force", "--state-dir", "/s"], ["replacing: true", "\"/s\"", "its audit log is whole"]),
        (["restore", "b", "-o", "json"], ["\"aside\" : \"/state/control.db.before-restore-1\""]),
    ])
    func asksAndSays(arguments: [String], words: [String]) async {
        let run = await CommandLineRun.run(arguments)
        #expect(run.code == 0, "\(run.errors)")
        for words in words { #expect(run.output.contains(words), "\(run.output)") }
    }

    @Test(arguments: [["backup"], ["restore"], ["backup", "a", "b"]])
    func wrongUse(arguments: [String]) async {
        #expect(await CommandLineRun.run(arguments).code == 2)
    }
}
