internal import ArgumentParser
internal import Foundation
internal import Schema

/// `martlet init`: writes a starter repository.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a starter repository: a recorded model, a prompt, a chain and an endpoint.",
        discussion: "It never overwrites a file: if one is there already, it writes nothing, and the exit code is 2."
    )

    @Argument(help: "The folder to write into; it is made if it is not there.")
    var directory = "."

    func run() throws {
        let root = URL(filePath: self.directory, directoryHint: .isDirectory)
        let taken = StarterFiles.all.map(\.path).filter { InitCommand.isTaken(root.appending(path: $0)) }
        guard taken.isEmpty else {
            throw MartletError(
                "FilesExist",
                "nothing was written, since these are there already: \(taken.joined(separator: ", ")); choose another "
                    + "folder or move them"
            )
        }
        for file in StarterFiles.all {
            try InitCommand.write(file.text, to: root.appending(path: file.path))
        }
        let place = self.directory == "." ? "" : "cd \(self.directory) && "
        let print = CommandEnvironment.current.print
        print(StarterFiles.all.map { "wrote \($0.path)" }.joined(separator: "\n"))
        print("\nNext: \(place)git init && git add --all && git commit -m Begin && martlet run")
    }

    /// Whether anything stands there, a link that leads nowhere too.
    private static func isTaken(_ file: URL) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: file.path(percentEncoded: false))) != nil
    }

    private static func write(_ text: String, to file: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file, options: .withoutOverwriting)
        } catch {
            throw MartletError(
                "FileNotWritten",
                "'\(file.path(percentEncoded: false))' cannot be written: \(InitCommand.reason(of: error)); choose another "
                    + "folder"
            )
        }
    }

    /// What the system says, without the frame that Foundation puts around it.
    private static func reason(of error: any Error) -> String {
        let error = error as NSError
        let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        return underlying.domain == NSPOSIXErrorDomain
            ? String(cString: strerror(Int32(underlying.code))).lowercased() : error.localizedDescription
    }
}
