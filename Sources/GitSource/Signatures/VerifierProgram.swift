internal import Foundation
internal import Schema
internal import Subprocess

/// One run of a standard program that checks a signature: a child with a deadline, and files of its own.
///
/// The program sees nothing of this process's environment but where programs are, so that no configuration of the user
/// has a say.
struct VerifierProgram {
    struct Outcome: Sendable {
        /// The exit status; nil when the program was ended by a signal.
        var status: Int32?
        var output: String
        var complaint: String
    }

    /// Where the program works, and the only home that it knows.
    let folder: String
    /// When a program that has not ended is killed.
    var deadline: Duration

    /// Runs a program to its end. Throws `SignatureUnchecked` when it cannot be started or does not end in time.
    func run(_ words: [String], input: [UInt8] = []) throws -> Outcome {
        let exit = try self.start(words).run(input: input, closesInput: true, within: self.deadline)
        let status: Int32? =
            switch exit.reason {
            case .status(let status): status
            case .signal: nil
            case .deadline: throw Self.unchecked("'\(words[0])' did not end within \(self.deadline)")
            case .excess: throw Self.unchecked("'\(words[0])' wrote more than \(ChildProcess.outputLimit) bytes")
            }
        return Outcome(
            status: status,
            output: String(decoding: exit.output, as: UTF8.self),
            complaint: exit.errors
        )
    }

    private func start(_ words: [String]) throws -> ChildProcess {
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
            "HOME": self.folder,
            "GNUPGHOME": self.folder,
            "LC_ALL": "C",
            // Times in files of keys are read in the time zone of the program, so it must not depend on the machine.
            "TZ": "UTC",
        ]
        do {
            return try ChildProcess(
                executable: words[0],
                arguments: Array(words.dropFirst()),
                environment: environment
            )
        } catch let error as ChildProcess.NotStarted {
            throw Self.unchecked("\(error); install the package that holds it, openssh-client or gpgv")
        }
    }

    /// An error for want of a verdict.
    private static func unchecked(_ why: String) -> MartletError {
        MartletError(
            "SignatureUnchecked",
            "signatures cannot be checked: \(why); 'martlet sync' tries again",
            disposition: .retryable
        )
    }
}
