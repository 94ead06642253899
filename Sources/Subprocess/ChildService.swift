internal import Foundation
internal import Glibc
internal import Schema

/// The child's side of a ``ChildCall``.
package enum ChildService {
    /// Serves the one request on the standard input and ends the process.
    ///
    /// The process ends as soon as its standard input closes, so it cannot outlive the one that started it. Errors that
    /// are not `MartletError`s get the code `Unexpected`.
    package static func serve<Request: Decodable, Answer: Encodable>(
        _ perform: (Request) throws -> Answer
    ) -> Never {
        ChildService.closeInherited()
        // Libraries may print; only the answer may go where the parent reads it.
        let output = dup(STDOUT_FILENO)
        dup2(STDERR_FILENO, STDOUT_FILENO)
        guard let line = readLine(), let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) else {
            ChildService.complain("this reads one request from its standard input; it is started by martlet")
            exit(64)
        }
        Thread.detachNewThread {
            while readLine() != nil {}
            _exit(1)
        }
        var reply = ChildReply<Answer>()
        do {
            reply.answer = try perform(request)
        } catch let error as MartletError {
            reply.failure = .init(error)
        } catch {
            reply.failure = .init(MartletError("Unexpected", "\(error)"))
        }
        let data = (try? JSONEncoder().encode(reply)) ?? Data()
        try? FileHandle(fileDescriptor: output).write(contentsOf: data)
        // Nothing is closed: the process's end gives everything back at once.
        _exit(0)
    }

    /// Writes a sentence to the standard error; the parent quotes the last ones when the child does not answer.
    package static func complain(_ sentence: String) {
        FileHandle.standardError.write(Data("\(sentence)\n".utf8))
    }

    /// Sets how much of something this process may use before the kernel stops it.
    package static func limit(_ resource: Resource, to most: UInt64) {
        var value = rlimit(rlim_cur: rlim_t(most), rlim_max: rlim_t(most))
        setrlimit(Int32(resource.kernelName.rawValue), &value)
    }

    /// What a process can be limited in.
    package enum Resource: Sendable {
        /// All virtual memory, in bytes.
        case addressSpace
        /// Memory that belongs to the process alone, in bytes.
        case data
        /// The size of any file that it writes, in bytes.
        case fileSize
        /// The CPU time of all threads together, in seconds.
        case cpuSeconds
        /// The size of the image that a crash leaves behind, in bytes.
        case core

        fileprivate var kernelName: __rlimit_resource {
            switch self {
            case .addressSpace: RLIMIT_AS
            case .data: RLIMIT_DATA
            case .fileSize: RLIMIT_FSIZE
            case .cpuSeconds: RLIMIT_CPU
            case .core: RLIMIT_CORE
            }
        }
    }

    /// Closes whatever the parent had open without meaning it for this process.
    private static func closeInherited() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO { close(descriptor) }
    }
}
