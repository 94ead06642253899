/// The files of the repository that `martlet init` writes.
///
/// The same files stand in `Manifests/starter`, where they can be read as they are; a test keeps the two alike.
enum StarterFiles {
    /// The text of each file, in the order in which they are written, by its path.
    static let all: [(path: String, text: String)] = [
        ("README.md", StarterFiles.readme),
        (".martletignore", StarterFiles.ignore),
        ("models/greeter.yaml", StarterFiles.model),
        ("models/answers.jsonl", StarterFiles.answers),
        ("prompts/greeting.yaml", StarterFiles.prompt),
        ("chains/hello.yaml", StarterFiles.chain),
        ("endpoints/hello.yaml", StarterFiles.endpoint),
    ]
}
