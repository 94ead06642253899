import Schema
import Testing

/// Paths are cut at bytes, whatever characters the bytes make up.
struct RelativePathTests {
    @Test(arguments: [
        ("models/a.gguf", true), ("a", true), ("größe/a", true), ("a/\u{301}b", true),
        ("", false), ("/a", false), ("a/", false), ("a//b", false), ("a/./b", false), ("a/../b", false),
        ("a\\b", false),
        ("/\u{301}a", false), ("a/\u{301}/../b", false), ("../\u{301}a", false), ("a/../\u{301}b", false),
        ("a//\u{301}b", false), ("./\u{301}a", false),
    ])
    func validity(_ path: String, _ isValid: Bool) {
        #expect(RelativePath.isValid(path) == isValid)
    }

    @Test(arguments: [
        ("a/b", ["a", "b"]), ("/a//b/", ["a", "b"]), ("", []), ("a/\u{301}b", ["a", "\u{301}b"]),
        ("../\u{338}a", ["..", "\u{338}a"]),
    ])
    func names(_ path: String, _ names: [String]) {
        #expect(RelativePath.names(of: path) == names)
    }

    @Test(arguments: [
        ("a/b/c", "a/b", "c"), ("c", "", "c"), ("a/\u{301}c", "a", "\u{301}c"),
    ])
    func split(_ path: String, _ folder: String, _ name: String) {
        #expect(RelativePath.split(path) == (folder, name))
    }

    @Test(arguments: [
        ("a.yaml", ".yaml", true), (".yaml", ".yaml", true), ("yaml", ".yaml", false), ("a.yml", ".yaml", false),
        // As characters, these begin with a sign that takes the full stop in, and end with one that takes the letter.
        ("\u{600}.yaml", ".yaml", true), ("a.yaml\u{301}", ".yaml", false),
    ])
    func endings(_ path: String, _ ending: String, _ isSo: Bool) {
        #expect(RelativePath.path(path, endsWith: ending) == isSo)
    }

    @Test(arguments: [
        ("a/b", "a", "b"), ("a/b", "", "a/b"), ("ab", "a", nil), ("a", "a", nil), ("a/", "a", nil),
        ("a/\u{301}b", "a", "\u{301}b"), ("shop:a", "shop:", "a"), ("shop:\u{301}a", "shop:", "\u{301}a"),
        // The same to people, and another folder to git.
        ("su\u{308}d/a", "s\u{FC}d", nil),
    ])
    func below(_ path: String, _ folder: String, _ rest: String?) {
        #expect(RelativePath.path(path, below: folder) == rest)
    }

    @Test(arguments: [
        ("a", "deep/\u{301}er", "deep/\u{301}er/a"), ("..", "deep/\u{301}er", "deep"), ("../..", "a", nil),
    ])
    func overlays(_ include: String, _ folder: String, _ path: String?) {
        #expect(OverlaySpec.path(of: include, from: folder) == path)
    }

    @Test func fileArtifactsStayWhereTheySay() {
        #expect(ArtifactLocation("file:///srv/../\u{301}etc") == nil)
        #expect(ArtifactLocation("../\u{301}etc") == nil)
    }
}
