// swift-tools-version: 6.2
import PackageDescription

// Layers, from the bottom: a target may import only targets above it in this list.
// docs/architecture.md draws them and follows a request through the files.

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "genwire",
    products: [
        .library(name: "Genwire", targets: ["Genwire", "Generation", "Config", "Limits"]),
        .library(name: "GenwireClient", targets: ["GenwireClient", "Generation", "Messages"]),
        .executable(name: "genwired", targets: ["genwired"]),
        .executable(name: "genwire", targets: ["genwire"]),
        .executable(name: "genwire-sim", targets: ["genwire-sim"]),
        .executable(name: "genwire-bench", targets: ["genwire-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C: system libraries, and thin targets for what Swift cannot see.
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CGenwireProto", dependencies: ["CProtobufC"]),
        .target(name: "CCatalogue"),
        .target(name: "CSimulatorData"),

        // 0-1: the loop, what a server takes on, and the wires.
        library("EventLoop", ["CLinux"]),
        library("Limits", []),
        library("RPC", ["EventLoop", "Limits", "CLinux"]),
        library("HTTPClient", ["EventLoop", "CCurl", "CLinux"]),
        library("HTTPServer", ["EventLoop", "CMicroHTTPD"]),

        // 2: values, configuration, JSON, encodings.
        library("Encodings", []),
        library("Generation", []),
        library("JSON", ["CSimdJSON"]),
        library("Messages", ["Generation", "CGenwireProto", "CProtobufC"]),
        library("Config", ["CYAML", "CLinux", "EventLoop", "Encodings", "JSON", "Limits"]),

        // 3-6: credentials, providers, gateway, RPC handlers.
        library("Auth", ["EventLoop", "HTTPClient", "JSON", "Config", "Generation", "Encodings", "CCrypto"]),
        library(
            "Providers",
            ["EventLoop", "HTTPClient", "Generation", "JSON", "Config", "Encodings", "Auth", "CCatalogue"],
            // The C target CCatalogue embeds them.
            exclude: ["Catalogue/models.json", "Catalogue/rules.json"]),
        library("Gateway", ["EventLoop", "HTTPClient", "Generation", "Auth", "Providers", "Config"]),
        library(
            "Service",
            [
                "EventLoop", "Limits", "RPC", "HTTPClient", "JSON", "Messages", "Generation", "Config", "Gateway",
                "Providers",
            ]),

        // 7-9: the daemon's runtime, what others link, and the programs.
        library(
            "Daemon",
            [
                "EventLoop", "Limits", "RPC", "HTTPClient", "Generation", "Config", "Providers", "Gateway", "Service",
                logging,
            ]),
        library(
            "Genwire",
            ["EventLoop", "HTTPClient", "Generation", "JSON", "Config", "Auth", "Providers", "Gateway"]),
        library("GenwireClient", ["EventLoop", "RPC", "Generation", "Messages"]),
        library(
            "GenwireCommands",
            ["EventLoop", "GenwireClient", "Generation", "Messages", "JSON", "Encodings", argumentParser]),
        library(
            "Simulator", ["EventLoop", "HTTPServer", "JSON", "Encodings", "CSimulatorData"],
            // The C target CSimulatorData embeds it.
            exclude: ["Data/strictness.json"]),
        executable("genwired", ["Daemon", "Generation", "Config", "EventLoop", "CLinux", logging]),
        executable("genwire", ["GenwireCommands", argumentParser]),
        executable("genwire-sim", ["Simulator", "HTTPServer", "EventLoop", "Generation", argumentParser]),
        executable("genwire-bench", [argumentParser]),

        // Tests mirror the targets; BlackBoxTests start the real programs.
        .target(
            name: "TestSupport", dependencies: ["EventLoop", "CLinux"], path: "Tests/TestSupport",
            swiftSettings: swiftSettings),
        tests("EventLoopTests", ["EventLoop", "CLinux"]),
        tests("RPCTests", ["RPC", "EventLoop", "Limits", "TestSupport"]),
        tests("HTTPClientTests", ["HTTPClient", "EventLoop", "TestSupport"]),
        tests("HTTPServerTests", ["HTTPServer", "EventLoop", "TestSupport"]),
        tests("JSONTests", ["JSON"]),
        tests("ConfigTests", ["Config", "Providers", "Encodings", "JSON", "Limits", "TestSupport"]),
        tests("MessagesTests", ["Messages", "Generation", "CGenwireProto", "CProtobufC"]),
        tests(
            "AuthTests",
            [
                "Auth", "Config", "EventLoop", "HTTPClient", "JSON", "Generation", "Encodings", "Simulator", "CCrypto",
                "TestSupport",
            ]),
        tests(
            "ProvidersTests",
            [
                "Providers", "Auth", "EventLoop", "Generation", "HTTPClient", "JSON", "Config", "Encodings",
                "TestSupport",
            ]),
        tests("SimulatorTests", ["Simulator", "JSON"]),
        tests("GatewayTests", ["Gateway", "Generation", "Config", "Providers", "EventLoop"]),
        tests("FuzzTests", ["RPC", "Messages", "HTTPClient", "JSON", "Config", "Generation", "Providers"]),
        tests(
            "GenwireClientTests", ["GenwireClient", "Generation", "Messages", "EventLoop", "TestSupport"]),
        tests(
            "GenwireCommandsTests",
            ["GenwireCommands", "GenwireClient", "Generation", "Messages", "RPC", "EventLoop", argumentParser]),
        tests("DaemonTests", ["Daemon", "Config", "EventLoop", "Gateway", "Generation", "Providers", logging]),
        tests("GenwireTests", ["Genwire", "Config", "Generation", "TestSupport", "genwired", "genwire-sim"]),
        tests(
            "BlackBoxTests",
            ["TestSupport", "GenwireClient", "Generation", "Messages", "genwired", "genwire", "genwire-sim"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
