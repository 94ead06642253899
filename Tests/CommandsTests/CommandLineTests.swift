import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Commands

/// What every command line has in common: exit codes, help, and words that are nearly right.
struct CommandLineTests {
    @Test(
        "Help and results go to standard output with exit code 0",
        arguments: [
            (["--help"], "GitOps for models"), ([], "USAGE: martlet"), (["get", "--help"], "List resources"),
            (["help", "plan"], "Show what a change would do"), (["version"], "martlet 1.2.3\n"),
            (["--version"], "martlet 1.2.3\n"), (["version", "-o", "name"], "1.2.3\n"),
            (["engines", "-o", "json"], "[\n\n]\n"), (["completion", "bash"], "martlet"),
            (["completion", "zsh"], "#compdef martlet"), (["completion", "fish"], "complete -c 'martlet'"),
            (["run", "/shop", "--listen", "127.0.0.1:0"], "run /shop 127.0.0.1:0\n"), (["probe-child"], "probe\n"),
        ]
    )
    func succeeds(arguments: [String], says: String) async {
        let run = await CommandLineRun.run(arguments)
        #expect(run.code == 0)
        #expect(run.output.contains(says))
        #expect(run.errors.isEmpty)
    }

    @Test(
        "What cannot be done goes to standard error with exit code 2",
        arguments: [
            (["statsu"], "there is no 'statsu'; did you mean 'status'? see 'martlet --help'"),
            (["xyzzy"], "there is no 'xyzzy'; see 'martlet --help'"),
            (["probe-chidl"], "there is no 'probe-chidl'; see"),
            (["audit", "verfy"], "there is no 'audit verfy'; did you mean 'verify'?"),
            (["promote", "x"], "'promote' is not available in this version"),
            (["get", "endpont"], "there is no kind 'endpont'; did you mean 'endpoints'?"),
            (["get"], "Missing expected argument"), (["get", "all", "desk"], "'all' takes no name"),
            (["get", "endpoint/desk", "desk"], "names a resource already"),
            (["get", "models", "x", "-A"], "without -A"),
            (["get", "endpoints", "--namespce", "x"], "Did you mean '--namespace'?"),
            (["get", "endpoints", "-o", "tabel"], "'table', 'wide', 'json', 'yaml' or 'name'"),
            (["get", "endpoints", "-l", "=x"], "'=x' is no label selector"), (["get", "model", "a/b/c"], "is no name"),
            (["get", "endpoint", "a b"], "'a b' is no name; write desk, or namespace/desk: lower-case letters"),
            (["describe", "endpiont/desk"], "did you mean 'endpoint'?"), (["describe", "desk"], "names no resource"),
            (["status", "--wait", "3"], "--wait '3' is no duration"),
            (["status", "--commit", "abcd"], "goes with --wait"),
            (["status", "--wait", "3s", "--commit", "main"], "is no commit"), (["events", "--limit", "0"], "--limit"),
            (["rollback", "desk"], "--reason"), (["rollback", "desk", "--reason", " "], "--reason must say why"),
            (["rollback", "chain/desk", "--reason", "x"], "Chain/default/desk is no endpoint"),
            (["suspend"], "or say --all"),
            (["suspend", "endpoint/desk", "--all"], "leave out 'endpoint/desk', or --all"),
            (["get", "nonsense"], "there is no kind 'nonsense'; there are all, batchjobs, chains"),
            (["export", "nonsense"], "there is no kind 'nonsense'; there are batchjobs, chains"),
            (["validate", "/etc/hostname"], "'/etc/hostname' is a file: name the root folder of a repository"),
            (["history", "--variant", "acme"], "--variant needs the endpoint"),
            (["run", "--log-level", "inf"], "did you mean 'info'?"), (["run", "--listen", "8080"], "is no address"),
            (["run", "--memory-budget", "much"], "is no amount of memory"),
            (["run", "--memory-budget", "0"], "leaves room for no model"),
            (["run", "--namespace", "Shop"], "is no namespace"), (["validate", "-n", "a/b"], "is no namespace"),
            (["plan", "--evaluate"], "--evaluate is not available in this version"),
            (["plan", "--live", "--head", "x"], "--live goes without"),
            (["plan", "--live", "--base", "HEAD"], "--live goes without"),
            (["plan", "--state-dir", "x"], "goes with --live"),
            (["completion", "csh"], "'bash', 'zsh' or 'fish'"), (["validate", "/nonexistent"], "there is no folder"),
            (["get", "endpoints"], "no controller answers at /nonexistent/admin.sock; start one with 'martlet run'"),
            (["get", "endpoints", "--state-dir", "/none"], "no controller answers at /none/run/admin.sock"),
            (["plan", "--live"], "no controller answers"), (["status", "--wait", "1ms"], "no controller answers"),
        ]
    )
    func fails(arguments: [String], says: String) async {
        let run = await CommandLineRun.run(arguments)
        #expect(run.code == 2)
        #expect(run.errors.hasPrefix("error: "))
        #expect(run.errors.contains(says))
        #expect(run.output.isEmpty)
    }

    @Test("The reference names every option of every verb")
    func reference() async throws {
        let file = "\(FaultyEngine.repository())Documentation/reference/command-line.md"
        let page = try String(contentsOfFile: file, encoding: .utf8)
        let verbs = MartletCommand.configuration.groupedSubcommands.flatMap { $0.subcommands }
            .filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
        #expect(verbs.count > 20)
        for verb in verbs {
            let help = await CommandLineRun.run(["help", verb]).output
            for line in help.split(separator: "\n") where line.hasPrefix("  -") {
                // `  -l, --selector <selector>  Only with these labels.`: one of the names will do.
                let names = line.split { " ,".contains($0) }.prefix { $0.hasPrefix("-") }
                if names.contains("--help") || names.contains("--version") { continue }
                let isNamed = names.contains { page.contains("`\($0)`") || page.contains("`\($0) ") }
                #expect(isNamed, "\(verb): \(names)")
            }
        }
    }

    @Test("The probe's verb is for the controller, not for people")
    func hidesTheProbe() async {
        let (help, script) = (await CommandLineRun.run(["--help"]), await CommandLineRun.run(["completion", "bash"]))
        #expect(!help.output.contains("probe"))
        #expect(!script.output.contains("probe-child"))
    }
}
