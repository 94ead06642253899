internal import ArgumentParser
internal import Schema

/// Finds misspelt verbs before the parser calls them unexpected arguments.
enum VerbCheck {
    /// Verbs that the interface has a place for, and this version does not have yet.
    private static let planned = [
        "promote", "eval", "monitors", "tenants",
    ]

    /// Throws when the first word names no verb of a command that has verbs.
    static func check(_ arguments: [String], in command: any ParsableCommand.Type) throws {
        let verbs = command.configuration.subcommands
        guard !verbs.isEmpty, let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return }
        if let verb = verbs.first(where: { $0.configuration.commandName == word }) {
            return try VerbCheck.check(Array(arguments.dropFirst()), in: verb)
        }
        let path = command == MartletCommand.self ? "" : "\(command.configuration.commandName ?? "") "
        if path.isEmpty, VerbCheck.planned.contains(word) {
            throw MartletError("VerbUnavailable", "'\(word)' is not available in this version")
        }
        let words = verbs.filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
        let hint = NearestWord.hint(for: word, among: words, otherwise: ";")
        throw MartletError(
            "VerbUnknown",
            "there is no '\(path)\(word)'\(hint) see 'martlet \(path)--help'"
        )
    }
}
