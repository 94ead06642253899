// swift-tools-version: 6.2

import PackageDescription

// What Martlet's HTTP is measured against: Hummingbird with next to nothing behind it. Never shipped.
let package = Package(
    name: "echo",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0")
    ],
    targets: [
        .executableTarget(name: "echo", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ],
    swiftLanguageModes: [.v6]
)
