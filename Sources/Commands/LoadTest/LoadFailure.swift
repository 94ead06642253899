internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// The words for what keeps a request from having an answer.
enum LoadFailure {
    static let timeout = "timeout"

    /// A stable word for an error of a connection.
    static func word(for error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { self.word(for: $0.error) } ?? "host_not_found"
        case let error as IOError:
            switch error.errnoCode {
            case ECONNREFUSED: "connection_refused"
            case ECONNRESET, EPIPE: "connection_reset"
            case ETIMEDOUT: "connect_timeout"
            case EMFILE, ENFILE: "too_many_open_files"
            case EADDRNOTAVAIL: "no_free_port"
            default: "connection_failed"
            }
        case is ChannelError: "connect_timeout"
        case is HTTPParserError: "invalid_answer"
        default: "connection_failed"
        }
    }
}
