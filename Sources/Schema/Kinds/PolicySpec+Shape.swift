extension Shape {
    static let policy = Shape.object(
        .field("match", .policyMatch, default: [:], "Which resources it is about; without it, all within its reach."),
        .optional("engines", .allowList(.format(.engine)), "The engines that models may use."),
        .optional("hosts", .hosts, "The hosts that sources, upstreams and steps may reach."),
        .field("limits", .policyLimits, default: [:], "What one manifest may ask for."),
        .field("require", .policyRequirements, default: [:], "What every manifest must say."),
        .field("signatures", .list(.signatureRule), default: [], "Who must have signed commits, by path."),
        .field("evaluations", .list(.evaluationRule), default: [], "What must be tested, by risk class."),
        .field(
            "enforcement",
            .word(of: PolicySpec.Enforcement.self),
            default: "deny",
            "Whether a resource that breaks it is held back or only reported; signatures are always demanded."
        )
    )

    private static let policyMatch = Shape.object(
        .optional("kinds", .list(.word(of: Kind.self), atLeast: 1), "Only these kinds."),
        .optional(
            "namespaces",
            .list(.format(.namespacePattern), atLeast: 1),
            "Only these namespaces; `*` stands for any letters."
        ),
        .optional("labels", .map(.string), "Only resources with all of these labels.")
    )

    private static let hosts = Shape.object(
        .required("allow", .list(.format(.host)), "These and no others."),
        .field("allowPrivate", .boolean, default: false, "Whether steps may call hosts of private networks.")
    )

    private static func allowList(_ item: Shape) -> Shape {
        .object(.required("allow", .list(item), "These and no others."))
    }

    private static let policyLimits = Shape.object(
        .optional("replicas", .integer(atLeast: 1), "The most replicas of one resource."),
        .optional("memory", .memory, "The most memory of one instance, as it is declared and as the probe measures it.")
    )

    private static let policyRequirements = Shape.object(
        .field("labels", .list(.nonEmptyString), default: [], "Labels that must be there and not empty."),
        .field("annotations", .list(.nonEmptyString), default: [], "Annotations that must be there and not empty."),
        .field("card", .list(.word(of: PolicySpec.CardField.self)), default: [], "Fields of a model's card.")
    )

    private static let signatureRule = Shape.object(
        .required("paths", .list(.format(.glob), count: 1...1000), "The paths that the rule is about."),
        .optional(
            "signers",
            .list(.nonEmptyString, count: 1...1000),
            "Key fingerprints or addresses of accepted signers; without them, everyone in the files below."
        ),
        .optional(
            "allowedSigners",
            .format(.repositoryPath),
            "A file of SSH keys in git's format; without it, the controller's own."
        ),
        .optional(
            "openpgpKeyring",
            .format(.repositoryPath),
            "A file of OpenPGP keys for gpgv; without it, the controller's own."
        ),
        .field("minimum", .integer(1...10), default: 1, "How many different signers a change needs."),
        rules: [.atLeastOne(["signers", "allowedSigners", "openpgpKeyring"])]
    )

    private static let evaluationRule = Shape.object(
        .required("risk", .word(["minimal", "limited", "high"]), "The risk class, as a model's card says it."),
        .field("minimum", .integer(1...100), default: 1, "How many evaluations must gate its endpoints."),
        .field("require", .list(.reference(.evaluation)), default: [], "Evaluations that must be among them.")
    )
}
