import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Fetches in a process of their own bring what a server has, whole or not at all.
struct FetchTests {
    @Test(arguments: ["file", "good", "same-host"])
    func newCommitsArrive(_ manner: String) async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch(manner)
        #expect(first.commit == (try setup.people.head()))
        let pushed = try setup.push()
        let second = try await setup.fetch(manner)
        #expect(second.commit == pushed)
        #expect(setup.served() == pushed)
        let clone = try GitRepository(path: setup.clone)
        #expect(try clone.changes(from: first.commit, to: pushed, under: "").changed.map(\.path) == ["models/next.bin"])
        #expect(try clone.files(below: "", in: pushed).count == 2)
        #expect(setup.leftovers() == [])
        // Nothing new: no pack comes.
        #expect(try await setup.fetch(manner) == second)
    }

    @Test(arguments: ["main", "HEAD", "refs/heads/main", "light", "annotated", "refs/tags/annotated", "topic"])
    func refIsFollowed(_ ref: String) async throws {
        let setup = try RemoteSetup()
        let first = try setup.people.head()
        try setup.people.tag("light")
        try setup.people.tag("annotated", message: "Release")
        try setup.people.branch("topic")
        try setup.people.git("push", "--quiet", "origin", "--tags", "topic")
        let newest = try setup.push()
        let answer = try await setup.fetch(ref: ref)
        #expect(answer.commit == (["main", "HEAD", "refs/heads/main"].contains(ref) ? newest : first))
        #expect(setup.served() == answer.commit)
    }

    @Test(arguments: ["file", "good"], [true, false])
    func commitIsFollowed(_ manner: String, _ isAllowed: Bool) async throws {
        let setup = try RemoteSetup()
        let first = try setup.people.head()
        _ = try setup.push()
        if isAllowed { try setup.bare.git("config", "uploadpack.allowReachableSHA1InWant", "true") }
        #expect(try await setup.fetch(manner, ref: first).commit == first)
        #expect(setup.served() == first)
        #expect(setup.leftovers() == [])
    }

    @Test
    func branchComesBeforeTag() async throws {
        let setup = try RemoteSetup()
        try setup.people.tag("main")
        try setup.people.git("push", "--quiet", "origin", "refs/tags/main")
        let newest = try setup.push()
        #expect(try await setup.fetch(ref: "main").commit == newest)
    }

    @Test
    func credentialsAreShown() async throws {
        let setup = try RemoteSetup()
        #expect(try await setup.fetch("auth", password: "open sesame").commit == (try setup.people.head()))
    }

    @Test
    func forcedPushIsFollowedAndThePastStaysReadable() async throws {
        let setup = try RemoteSetup()
        _ = try await setup.fetch()
        let former = try setup.push("models/former.bin")
        _ = try await setup.fetch()
        try setup.people.git("reset", "--quiet", "--hard", "HEAD^")
        let rewritten = try setup.push("models/rewritten.bin", force: true)
        #expect(try await setup.fetch().commit == rewritten)
        let repacked = try await setup.fetch(task: .repack)
        #expect(repacked.packs == 1)
        #expect(repacked.commit == rewritten)
        let clone = try GitRepository(path: setup.clone)
        #expect(try clone.changes(from: former, to: rewritten, under: "").removed == ["models/former.bin"])
        #expect(setup.leftovers() == [])
    }

    @Test
    func longReplacedCommitsGoWithARepack() async throws {
        let setup = try RemoteSetup()
        var commits: [ObjectID] = []
        for number in 0..<10 {
            try setup.people.git("checkout", "--quiet", "--orphan", "root\(number)")
            commits.append(try setup.push("models/root.txt", force: true))
            _ = try await setup.fetch()
        }
        _ = try await setup.fetch(task: .repack)
        let clone = try GitRepository(path: setup.clone)
        #expect(throws: MartletError.self) { try clone.files(below: "", in: commits[0]) }
        for commit in commits.dropFirst() { #expect(try clone.files(below: "", in: commit).isEmpty == false) }
    }

    @Test
    func leftoversOfAKilledFetchGo() async throws {
        let setup = try RemoteSetup()
        _ = try await setup.fetch()
        for stray in ["incoming/repository/HEAD", "objects/pack/pack_git2_ab12", "objects/pack/pack-ab12.pack"] {
            let file = URL(filePath: "\(setup.clone)/\(stray)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(count: 100).write(to: file)
        }
        try Data().write(to: URL(filePath: "\(setup.clone)/refs/martlet/followed.lock"))
        #expect(setup.leftovers().count >= 4)
        let pushed = try setup.push()
        #expect(try await setup.fetch().commit == pushed)
        #expect(setup.leftovers() == [])
    }

    @Test(arguments: ["HEAD", "objects", "refs/martlet/followed"])
    func damagedCloneIsMadeAnew(_ part: String) async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        try FileManager.default.removeItem(atPath: "\(setup.clone)/\(part)")
        #expect(try await setup.fetch().commit == first.commit)
        #expect(setup.served() == first.commit)
    }

    /// A clone that may not be read at one place or another is no reason to lose it.
    @Test(arguments: ["objects", "objects/pack", "refs/martlet/followed", "."])
    func cloneThatCannotBeReadStays(_ part: String) async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        let path = "\(setup.clone)/\(part)"
        let rights = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        let error = try await setup.failure { try await setup.fetch(heedingRights: true) }
        try FileManager.default.setAttributes([.posixPermissions: rights as Any], ofItemAtPath: path)
        #expect(error?.code == (part == "." ? "CloneNotWritable" : "CloneUnreadable"), "\(error as Any)")
        #expect(setup.served() == first.commit)
        #expect(try await setup.fetch() == first)
    }

    @Test(arguments: ["HEAD", "objects", "objects/pack"])
    func damagedCloneStaysAsideUntilAFetchEndsWell(_ part: String) async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        try FileManager.default.removeItem(atPath: "\(setup.clone)/\(part)")
        for _ in 1...2 {
            _ = try await setup.failure { try await setup.fetch("cut") }
            #expect(
                try String(contentsOfFile: "\(setup.clone)/damaged/refs/martlet/followed", encoding: .utf8)
                    .hasPrefix(first.commit)
            )
            #expect(setup.served() == nil)
        }
        #expect(try await setup.fetch().commit == first.commit)
        #expect(FileManager.default.fileExists(atPath: "\(setup.clone)/damaged") == false)
    }
}
