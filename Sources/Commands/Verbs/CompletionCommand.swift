internal import ArgumentParser

/// `martlet completion`: a script that teaches a shell the verbs and options.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script for a shell.",
        discussion: """
            bash: source <(martlet completion bash)
            zsh:  martlet completion zsh > a file named _martlet in a folder of $fpath
            fish: martlet completion fish > ~/.config/fish/completions/martlet.fish
            """
    )

    /// The shells there are scripts for.
    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() {
        let shell: CompletionShell =
            switch self.shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        CommandEnvironment.current.print(MartletCommand.completionScript(for: shell))
    }
}
