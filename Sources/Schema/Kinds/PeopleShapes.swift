// Kinds about who may do what, and who is told.
extension Shape {
    static let tenant = Shape.object(
        .optional("displayName", .nonEmptyString, "What people call the tenant."),
        .field("keys", .list(.tenantKey), default: [], "The keys that stand for the tenant, hashed."),
        .field("limits", .tenantLimits, default: [:], "What is too much at once."),
        .optional("budget", .tenantBudget, "What is too much in the long run."),
        .field("weight", .number(0.001...1000), default: 1, "The share in the fair queue."),
        .field("dataUse", .dataUse, default: [:], "What the tenant's records may be used for.")
    )

    private static let tenantKey = Shape.object(
        .required("name", .format(.label), "What people call the key."),
        .required("sha256", .format(.sha256), "The SHA-256 of the key."),
        .optional("expires", .nonEmptyString, "The last day, as 2030-12-31.")
    )

    private static let tenantLimits = Shape.object(
        .optional("requests", .rate, "Requests in a stretch of time."),
        .optional("tokens", .rate, "Tokens in a stretch of time."),
        .optional("concurrency", .integer(atLeast: 1), "Requests at once.")
    )

    private static let tenantBudget = Shape.object(
        .optional("tokens", .count, "How many tokens."),
        .optional("requests", .count, "How many requests."),
        .field("per", .duration, default: "30d", "In how long."),
        rules: [.atLeastOne(["tokens", "requests"])]
    )

    private static let dataUse = Shape.object(
        .field("training", .boolean, default: false, "Whether records may leave in exports for training.")
    )

    static let receiver = Shape.object(
        .optional("webhook", .webhook, "Any HTTP server."),
        .optional("slack", .slack, "A Slack-compatible incoming webhook."),
        .optional("alertmanager", .alertmanager, "A Prometheus Alertmanager, API v2."),
        .optional("smtp", .smtp, "Mail."),
        rules: [.exactlyOne(["webhook", "slack", "alertmanager", "smtp"])]
    )

    private static let webhook = Shape.object(
        .required("url", .format(.url), "The address."),
        .field("headers", .headers, default: [:], "Headers, whose values may be secrets."),
        .optional("secret", .secret, "Signs the body with HMAC-SHA-256.")
    )

    private static let slack = Shape.object(
        .required("url", .secret, "The webhook's address, which is a secret."),
        .optional("channel", .nonEmptyString, "Another channel than the webhook's own.")
    )

    private static let alertmanager = Shape.object(
        .required("url", .format(.url), "The server's address."),
        .field("labels", .map(.string), default: [:], "Labels for every alert."),
        .optional("token", .secret, "The bearer token.")
    )

    private static let smtp = Shape.object(
        .required("host", .format(.host), "The mail server."),
        .field("port", .integer(1...65_535), default: 587, "Its port."),
        .field(
            "tls",
            .word(["starttls", "implicit", "none"]),
            default: "starttls",
            "How the connection is protected."
        ),
        .required("from", .nonEmptyString, "The sender's address."),
        .required("to", .list(.nonEmptyString, count: 1...100), "The receivers' addresses."),
        .optional("username", .nonEmptyString, "The account."),
        .optional("password", .secret, "Its password.")
    )

    static let trigger = Shape.object(
        .required("url", .format(.url), "The address."),
        .field("method", .word(["POST", "PUT"]), default: "POST", "The HTTP method."),
        .field("headers", .headers, default: [:], "Headers, whose values may be secrets."),
        .optional("secret", .secret, "Signs the body with HMAC-SHA-256."),
        .optional("payload", .expression, "What is sent besides the evidence."),
        .field("timeout", .duration, default: "10s", "How long the server may take."),
        .field("retries", .integer(0...100), default: 5, "How often a failed call is tried again."),
        .field("cooldown", .duration, default: "1h", "How long one call speaks for those that follow.")
    )
}
