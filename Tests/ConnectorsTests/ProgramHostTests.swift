import Connectors
import Foundation
import Planning
import Schema
import TestSupport
import Testing

@Suite("Programs of chains", .serialized)
struct ProgramHostTests {
    /// A line for each line, whatever becomes of it.
    private static func python(_ body: String) -> String {
        "#!/usr/bin/python3\nimport json, os, sys, time\nfor line in sys.stdin:\n"
            + "    request = json.loads(line)\n    value = request['input']\n    output = None\n"
            + body.split(separator: "\n").map { "    \($0)\n" }.joined()
            + "    print(json.dumps({'id': request['id'], 'output': output}))\n"
    }

    private func answer(
        of script: String,
        to input: JSONValue = .null,
        timeout: Duration = .seconds(60),
        change: (inout RevisionGraph.Program) -> Void = { _ in }
    ) async throws -> JSONValue {
        let stage = try ProgramStage(["main.py": script])
        defer { stage.end() }
        var program = stage.program("main.py")
        change(&program)
        return try await stage.host.call(program, input: input, timeout: timeout)
    }

    private func failure(
        of script: String,
        to input: JSONValue = .null,
        timeout: Duration = .seconds(60),
        change: (inout RevisionGraph.Program) -> Void = { _ in }
    ) async throws -> OutboundFailure? {
        do {
            _ = try await self.answer(of: script, to: input, timeout: timeout, change: change)
            return nil
        } catch {
            return error as? OutboundFailure
        }
    }

    @Test("A program answers again and again from one child")
    func echo() async throws {
        let stage = try ProgramStage(["main.py": Self.python("output = [value, os.getpid(), request['id']]")])
        defer { stage.end() }
        let program = stage.program("main.py")
        try await stage.host.prepare(program)
        let first = try await stage.host.call(program, input: ["a": "ü\n"], timeout: .seconds(60))
        let second = try await stage.host.call(program, input: 2, timeout: .seconds(60))
        #expect(first.array?.first == ["a": "ü\n"] && second.array?.first == 2)
        #expect(first.array?[1] == second.array?[1])
        #expect(second.array?.last == 2)
    }

    @Test("Programs in sh work too, by their endings and by commands")
    func shell() async throws {
        let script = "while read -r line; do echo '{\"id\":1,\"output\":\"ok\"}'; done\n"
        let stage = try ProgramStage(["tools/run.sh": script, "tools/data/words.txt": "hello", "run.sh": script])
        defer { stage.end() }
        #expect(try await stage.host.call(stage.program("run.sh"), input: 1, timeout: .seconds(60)) == "ok")
        var folder = stage.program("tools")
        await #expect(throws: OutboundFailure.self) {
            try await stage.host.call(folder, input: 1, timeout: .seconds(60))
        }
        folder.command = ["sh", "-c", "echo \"{\\\"id\\\":1,\\\"output\\\":\\\"$(cat data/words.txt)\\\"}\"; cat"]
        #expect(try await stage.host.call(folder, input: 1, timeout: .seconds(60)) == "hello")
    }

    @Test("Calls at the same time are answered each by its own")
    func concurrent() async throws {
        let stage = try ProgramStage(["main.py": Self.python("output = value")])
        defer { stage.end() }
        let program = stage.program("main.py")
        let answers = try await withThrowingTaskGroup(of: (Int64, JSONValue).self) { group in
            for number in 0..<40 as Range<Int64> {
                group.addTask {
                    (number, try await stage.host.call(program, input: .integer(number), timeout: .seconds(60)))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 40 && answers.allSatisfy { .integer($0.0) == $0.1 })
    }

    static let misbehaviours: [(script: String, kind: OutboundFailure.Kind, says: String)] = [
        (
            "sys.stderr.write('bad luck\\n'); sys.exit(3)", .unavailable,
            "ended with status 3 before it answered: bad luck"
        ),
        ("os.abort()", .unavailable, "was ended by"),
        ("raise ValueError('no such thing')", .unavailable, "no such thing"),
        ("print('debugging', value)", .invalidAnswer, "standard error"),
        ("print('{\"id\": 99, \"output\": 1}')", .invalidAnswer, "without the id"),
        ("print('{\"id\": 1}')", .invalidAnswer, "neither 'output' nor 'error'"),
        ("print('[1]')", .invalidAnswer, "no JSON object"),
        ("print('{\"id\": 1, \"error\": \"no such size\"}')", .rejected, "no such size"),
        ("while True: sys.stdout.write('x' * 65536)", .invalidAnswer, "more than"),
        ("block = 'x' * (1 << 30)", .unavailable, "MemoryError"),
        ("os.close(1); time.sleep(600)", .unavailable, "was ended"),
    ]

    @Test("A program that misbehaves is ended, and the error says how", arguments: misbehaviours.indices)
    func misbehaviour(index: Int) async throws {
        let row = Self.misbehaviours[index]
        let failure = try #require(try await self.failure(of: Self.python(row.script)))
        #expect(failure.kind == row.kind)
        #expect(failure.message.contains(row.says), "\(failure.message)")
    }

    @Test("A program that hangs is ended at its timeout, and the next call has a new one")
    func hang() async throws {
        let stage = try ProgramStage([
            "main.py": Self.python("if value == 'hang': time.sleep(3600)\noutput = os.getpid()")
        ])
        defer { stage.end() }
        var program = stage.program("main.py")
        #expect(try await stage.host.call(program, input: 1, timeout: .seconds(60)).isNumber)
        program.timeout = ManifestDuration(milliseconds: 300)
        do {
            _ = try await stage.host.call(program, input: "hang", timeout: .seconds(60))
            Issue.record("it answered")
        } catch let failure as OutboundFailure {
            #expect(failure.kind == .timedOut)
        }
        program.timeout = .seconds(60)
        #expect(try await stage.host.call(program, input: 1, timeout: .seconds(60)).isNumber)
    }

    @Test("A child that crashed is replaced")
    func restart() async throws {
        let stage = try ProgramStage(["main.py": Self.python("if value == 'die': os._exit(1)\noutput = value")])
        defer { stage.end() }
        let program = stage.program("main.py")
        for _ in 0..<2 {
            await #expect(throws: OutboundFailure.self) {
                try await stage.host.call(program, input: "die", timeout: .seconds(60))
            }
            #expect(try await stage.host.call(program, input: 1, timeout: .seconds(60)) == 1)
        }
    }

    @Test("Cancelling ends the call")
    func cancelling() async throws {
        let stage = try ProgramStage(["main.py": Self.python("time.sleep(3600)")])
        defer { stage.end() }
        let program = stage.program("main.py")
        await withThrowingTaskGroup(of: JSONValue.self) { group in
            group.addTask { try await stage.host.call(program, input: 1, timeout: .seconds(3600)) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test("A program sees no network, no environment, no secrets, no other processes and no descriptors of ours")
    func shutIn() async throws {
        let script = Self.python(
            """
            socket = __import__('socket')
            def attempt(body):
                try:
                    return body()
                except Exception as error:
                    return type(error).__name__
            output = {
                'connect': attempt(lambda: socket.create_connection(('127.0.0.1', value['port']), 5) and 'connected'),
                'lookUp': attempt(lambda: socket.getaddrinfo('localhost.example', 80) and 'found'),
                'environment': sorted(os.environ),
                'descriptors': attempt(lambda: sorted(int(name) for name in os.listdir('/proc/self/fd'))),
                'secret': attempt(lambda: open(value['secret']).read()),
                'home': attempt(lambda: os.listdir('/root')),
                'shadow': attempt(lambda: open('/etc/shadow').read()),
                'write': attempt(lambda: open('new.txt', 'w')),
                'writeSystem': attempt(lambda: open('/usr/new.txt', 'w')),
                'scratch': attempt(lambda: open('/tmp/new.txt', 'w').write('x')),
                'kill': attempt(lambda: os.kill(value['process'], 0)),
                'processes': attempt(lambda: [name for name in os.listdir('/proc') if name.isdigit()]),
                'setuid': attempt(lambda: os.setuid(0)),
                'privileges': [line for line in open('/proc/self/status') if line.startswith(('NoNewPrivs', 'CapEff'))],
            }
            """
        )
        let folder = try TemporaryFolder()
        try folder.write("secret", Array("s3cret".utf8))
        try await ScriptedUpstream.run { _, _ in
        } _: { server in
            let seen = try await self.answer(
                of: script,
                to: [
                    "port": .integer(Int64(server.port)), "secret": .string(folder.file("secret")),
                    "process": .integer(Int64(ProcessInfo.processInfo.processIdentifier)),
                ]
            )
            #expect(seen["connect"]?.string?.hasSuffix("Error") == true, "\(seen)")
            #expect(seen["lookUp"] == "gaierror")
            #expect(seen["environment"] == ["LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"])
            #expect(seen["descriptors"] == [0, 1, 2, 3])  // The last one is the folder that is being listed.
            #expect(seen["secret"] == "FileNotFoundError")
            #expect(seen["home"] == "FileNotFoundError")
            #expect(seen["shadow"] == "FileNotFoundError")
            #expect(seen["write"] == "OSError" || seen["write"] == "PermissionError")
            #expect(seen["writeSystem"] == "OSError" || seen["writeSystem"] == "PermissionError")
            #expect(seen["scratch"] == 1)
            #expect(seen["kill"] == "ProcessLookupError")
            #expect(seen["processes"] == ["1"])
            #expect(seen["setuid"] == "PermissionError" || seen["setuid"] == "OSError")
            #expect(seen["privileges"] == ["CapEff:\t0000000000000000\n", "NoNewPrivs:\t1\n"])
        }
    }

    @Test("Processes without end stop at the limit, and all of them end with the child")
    func forkBomb() async throws {
        let script = Self.python(
            """
            count = 0
            try:
                while count < 5000:
                    if os.fork() == 0:
                        time.sleep(3600)
                    count += 1
            except OSError:
                pass
            output = count
            """
        )
        let answer = try await self.answer(of: script) { $0.memory = ByteCount(bytes: 1 << 30) }
        guard case .integer(let count) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect((1...256).contains(count))
    }

    @Test("What nothing needs is removed, and its children end")
    func prune() async throws {
        let stage = try ProgramStage([
            "main.py": Self.python("output = 'old'"), "other.py": Self.python("output = 'kept'"),
        ])
        defer { stage.end() }
        let (old, kept) = (stage.program("main.py"), stage.program("other.py"))
        for program in [old, kept] { _ = try await stage.host.call(program, input: 1, timeout: .seconds(60)) }
        let names = stage.names.count
        await stage.host.prune(keeping: [try stage.graph(of: [kept])])
        #expect(stage.names.count == names - 1)
        #expect(try await stage.host.call(kept, input: 1, timeout: .seconds(60)) == "kept")
        #expect(try await stage.host.call(old, input: 1, timeout: .seconds(60)) == "old")
    }

    @Test("Without a sandbox it is still alone with its environment and its limits")
    func unsandboxed() async throws {
        let stage = try ProgramStage(
            [
                "main.py": Self.python(
                    "import resource\noutput = [sorted(os.environ)[0], resource.getrlimit(resource.RLIMIT_AS)[0]]"
                )
            ],
            options: .init(allowsUnsandboxed: true)
        )
        defer { stage.end() }
        let answer = try await stage.host.call(stage.program("main.py"), input: 1, timeout: .seconds(60))
        #expect(answer == ["LANG", .integer(256 << 20)])
    }

    @Test("A program that cannot be started says what to do")
    func notStarted() async throws {
        let stage = try ProgramStage(["main.py": "print(1)", "notes.txt": "hello"])
        defer { stage.end() }
        var program = stage.program("main.py")
        program.command = ["no-such-interpreter", "main.py"]
        for (program, says) in [(program, "no-such-interpreter"), (stage.program("notes.txt"), "command")] {
            do {
                _ = try await stage.host.call(program, input: 1, timeout: .seconds(60))
                Issue.record("it ran")
            } catch let failure as OutboundFailure {
                #expect(failure.kind == .misconfigured && failure.message.contains(says), "\(failure)")
            }
        }
    }
}

extension JSONValue {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .number: true
        case .null, .bool, .string, .array, .object: false
        }
    }
}
