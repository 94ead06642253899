internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Several repositories checked and planned side by side, without a controller.
    struct OfflineSourcesTests {
        /// A repository of a model and one of an endpoint that uses it, and the file that names both.
        private struct Teams {
            let models: TemporaryRepository
            let shop: TemporaryRepository
            let folder: TemporaryFolder
            let file: String

            /// - Parameter isRemote: Whether the models are reached through a clone.
            init(isRemote: Bool = false) throws {
                (self.models, self.shop, self.folder) = (
                    try TemporaryRepository(), try TemporaryRepository(), try TemporaryFolder()
                )
                self.file = self.folder.file("sources.yaml")
                let text = """
                    sources:
                      - name: models
                        url: \(isRemote ? "file://" : "")\(self.models.path)
                        ref: main
                        path: serve
                        namespace: models
                      - {name: shop, url: \(self.shop.path), namespace: shop}
                    """
                try Data(text.utf8).write(to: URL(filePath: self.file))
                try self.models.write("answers.jsonl", "{\"default\": true, \"output\": \"good day\"}\n")
                try self.models.write("elsewhere/broken.yaml", "kind: [")
                try self.models.commit("serve/tiny.yaml", Self.model(in: "models"))
                try self.shop.commit("desk.yaml", Self.endpoint("desk", serving: "models/tiny"))
            }

            static func model(in namespace: String) -> String {
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: tiny, namespace: \(namespace)}
                spec: {engine: replay, source: {uri: answers.jsonl}}

                """
            }

            static func endpoint(_ name: String, serving model: String) -> String {
                """
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: \(name)}
                spec: {serve: {model: \(model)}, access: {anonymous: true}}

                """
            }

            func verb(_ words: String...) async throws -> Executable.Result {
                try await Executable.run(
                    [words[0], "--sources", self.file] + words.dropFirst(),
                    environment: ["MARTLET_STATE_DIR": self.folder.file("state")]
                )
            }
        }

        @Test func whatCrossesSourcesIsChecked() async throws {
            let teams = try Teams()
            // Alone, the shop's endpoint names a model that nobody has.
            #expect(try await Executable.run(["validate", teams.shop.path, "-n", "shop"]).code == 2)
            let sound = try await teams.verb("validate")
            #expect(sound.code == 0, "\(sound.complaint)")
            #expect(sound.output == "2 resources, no errors\n")

            // What is on disk counts where it is asked for, and nowhere else.
            try teams.shop.write("till.yaml", Teams.endpoint("till", serving: "models/tinny"))
            try teams.shop.write("model.yaml", Teams.model(in: "models"))
            #expect(try await teams.verb("validate").output == sound.output)
            let broken = try await teams.verb("validate", "--work-tree", "shop=\(teams.shop.path)")
            #expect(broken.code == 2)
            #expect(broken.complaint.contains("shop:till.yaml:4:23: error: "), "\(broken.complaint)")
            #expect(broken.complaint.contains("'tiny'"), "\(broken.complaint)")
            #expect(
                broken.complaint.contains("shop:model.yaml:3:35: error: source 'shop' may declare"),
                "\(broken.complaint)"
            )
        }

        @Test func planGoesFromTheRefsToWorkTrees() async throws {
            let teams = try Teams()
            let folder = try TemporaryRepository()
            try folder.write("serve/tiny.yaml", Teams.model(in: "models"))
            try folder.write("answers.jsonl", "{\"default\": true, \"output\": \"good evening\"}\n")
            let words = ["--work-tree", "models=\(folder.path)"]
            let plan = try await teams.verb("plan", words[0], words[1])
            #expect(plan.code == 1, "\(plan.complaint)")
            #expect(plan.output.contains("\nshop/desk "), "\(plan.output)")
            let (models, shop) = (try teams.models.head().prefix(10), try teams.shop.head().prefix(10))
            #expect(plan.output.contains("models@\(models), shop@\(shop)"), "\(plan.output)")
            #expect(plan.output.contains("models@worktree, shop@\(shop)"), "\(plan.output)")
            let diff = try await teams.verb("diff", words[0], words[1])
            #expect(diff.code == 1)
            #expect(diff.output.hasPrefix("~ Model/models/tiny   (models:serve/tiny.yaml:1:1)\n"), "\(diff.output)")

            let unknown = try await teams.verb("plan", "--work-tree", "shopp=.")
            #expect(unknown.code == 2)
            #expect(
                unknown.complaint.contains("no source is called that; did you mean 'shop'?"),
                "\(unknown.complaint)"
            )
        }

        @Test func workTreesAreWholeAndTheirOwn() async throws {
            let teams = try Teams()
            let part = try await teams.verb("validate", "--work-tree", "models=\(teams.models.path)/serve")
            #expect(part.code == 2)
            #expect(part.complaint.contains("serve' is no repository but a folder of '"), "\(part.complaint)")

            // The folder's own repository has what its ignore file names; that of the source never had it.
            let folder = try TemporaryRepository()
            try folder.write(".gitignore", "more.yaml\n")
            // Files that may be called as those of a bare repository are.
            try folder.write("HEAD", "of the department\n")
            try folder.write("objects/vase.txt", "blue\n")
            try folder.write("answers.jsonl", "{\"default\": true, \"output\": \"good evening\"}\n")
            try folder.write(
                "serve/more.yaml",
                Teams.model(in: "models").replacingOccurrences(of: "tiny", with: "more")
            )
            try folder.git("add", "--force", "serve/more.yaml")
            try folder.commit("serve/tiny.yaml", Teams.model(in: "models"))
            let whole = try await teams.verb("validate", "--work-tree", "models=\(folder.path)")
            #expect(whole.output == "3 resources, no errors\n", "\(whole.complaint)")
        }

        @Test func remoteSourcesAreReadAsTheyWereFetched() async throws {
            let teams = try Teams(isRemote: true)
            let without = try await teams.verb("validate")
            #expect(without.code == 2)
            #expect(
                without.complaint.contains("source 'models': there is no clone of 'file://"),
                "\(without.complaint)"
            )
            #expect(without.complaint.contains("--work-tree models=FOLDER"), "\(without.complaint)")
            // A folder does for a check; for a plan somebody has to know what runs now.
            let tree = "models=\(teams.models.path)"
            #expect(try await teams.verb("validate", "--work-tree", tree).code == 0)
            #expect(try await teams.verb("plan", "--work-tree", tree).complaint.contains("there is no clone of"))

            let martlet = try await RunningMartlet.started(teams.shop.path, options: ["--sources", teams.file])
            _ = try await martlet.waitForRevision("shop/desk")
            await martlet.kill()
            let fetched = try await teams.verb("validate", "--state-dir", martlet.stateDirectory)
            #expect(fetched.code == 0, "\(fetched.complaint)")
            #expect(fetched.output == "2 resources, no errors\n")
            // Nothing is fetched, so what was pushed since is not known.
            try teams.models.commit("serve/tiny.yaml", "kind: [")
            #expect(try await teams.verb("validate", "--state-dir", martlet.stateDirectory).output == fetched.output)
            let plan = try await teams.verb("plan", "--work-tree", tree, "--state-dir", martlet.stateDirectory)
            #expect(plan.code == 2)
            #expect(plan.complaint.contains("models:serve/tiny.yaml:1:"), "\(plan.complaint)")
        }

        @Test(arguments: [
            (["validate", ".", "--sources", "s.yaml"], "leave out the repository"),
            (["validate", "--sources", "s.yaml", "--ref", "main"], "leave out --ref"),
            (["validate", "--state-dir", "state"], "--state-dir goes with --sources"),
            (["validate", "--work-tree", "a=b"], "--work-tree goes with --sources"),
            (["plan", "--sources", "s.yaml", "--work-tree", "a=b", "--base", "main"], "leave out --base and --head"),
            (["plan", "--sources", "s.yaml"], "name what changes: --work-tree NAME=FOLDER"),
            (["plan", "--sources", "s.yaml", "--work-tree", "shop"], "'shop' is not NAME=FOLDER"),
            (
                ["plan", "--sources", "s.yaml", "--work-tree", "a=b", "--work-tree", "a=c"],
                "two folders for source 'a'"
            ),
            (["plan", "--sources", "s.yaml", "--work-tree", "a=b", "--live"], "--live goes without --sources"),
            (["diff", "--state-dir", "state"], "--state-dir goes with --sources"),
            (["validate", "--sources", "s.yaml"], "the file of sources 's.yaml' cannot be read"),
            (["validate", "--sources", "s.yaml", "--require-signatures", "keys"], "source by source"),
        ])
        func wrongUseIsExplained(_ words: [String], _ complaint: String) async throws {
            let folder = try TemporaryFolder()
            defer { withExtendedLifetime(folder) {} }
            let result = try await Executable.run(words, in: folder.path)
            #expect(result.code == 2)
            #expect(result.complaint.contains(complaint), "\(result.complaint)")
        }
    }
}
