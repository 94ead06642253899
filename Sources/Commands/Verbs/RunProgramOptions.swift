internal import ArgumentParser

/// How programs of chains are run.
struct RunProgramOptions: ParsableArguments {
    @Flag(
        help: """
            Run the programs of chains without a sandbox where every commit is trusted with all that this process may \
            do; for machines that forbid user namespaces.
            """
    )
    var allowUnsandboxedPrograms = false

    @Option(
        name: .customLong("program-folder"),
        help: "A folder that programs of chains may read besides the system's, such as /srv/venv; may be repeated."
    )
    var folders: [String] = []

    var options: ProgramRunOptions {
        ProgramRunOptions(allowsUnsandboxed: self.allowUnsandboxedPrograms, readable: self.folders)
    }

    func validate() throws {
        for folder in self.folders where !folder.hasPrefix("/") || folder == "/" {
            throw ValidationError("--program-folder '\(folder)' must be a path from the root, and not the root itself")
        }
    }
}
