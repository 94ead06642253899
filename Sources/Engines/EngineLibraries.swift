internal import Glibc
internal import Schema
internal import Synchronization

/// The engine libraries of this process. They are opened once and never closed, so this is the process's state.
enum EngineLibraries {
    private static let opened = Mutex<[String: EngineTable]>([:])

    /// The table of a library, which is opened when it is asked for the first time.
    ///
    /// Throws `EngineUnusable` before anything of the library runs when the file, or the CPU, is of the wrong kind.
    static func table(of library: String, on cpu: CPUFeatures, log: EngineLog) throws -> EngineTable {
        let path = EngineLibraries.resolved(library)
        return try EngineLibraries.opened.withLock { opened in
            if let table = opened[path] { return table }
            try EngineLibraries.requireSharedLibrary(path)
            if let manifest = try EngineManifest.beside(path) {
                let missing = manifest.cpuFlags.filter { !cpu.names.contains($0) }
                guard missing.isEmpty else {
                    throw EngineTable.unusable(
                        library,
                        "it was built for a CPU with \(missing.joined(separator: ", ")), which this one lacks; "
                            + "build it on this machine with scripts/bootstrap"
                    )
                }
            }
            let table = try EngineTable(opening: path)
            log.attach(to: table)
            opened[path] = table
            return table
        }
    }

    private static func requireSharedLibrary(_ path: String) throws {
        guard let file = fopen(path, "rb") else {
            throw EngineTable.unusable(path, String(cString: strerror(errno)))
        }
        defer { fclose(file) }
        var magic = [UInt8](repeating: 0, count: 4)
        guard fread(&magic, 1, 4, file) == 4, magic == [0x7F, 0x45, 0x4C, 0x46] else {
            throw EngineTable.unusable(path, "it is not a shared library (no ELF header)")
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
