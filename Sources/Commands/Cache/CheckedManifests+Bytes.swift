internal import Foundation
internal import Planning
internal import Schema

extension CheckedManifests {
    /// The form in which the cache keeps it; ``init(bytes:)`` reads it.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.put(self.files.count)
        for file in self.files {
            writer.put(file.path)
            writer.put(file.object)
        }
        writer.put(self.nodes.count)
        for node in self.nodes {
            writer.put(node.name)
            writer.put(node.file)
            writer.put(node.references)
        }
        writer.put(self.artifacts.count)
        for artifact in self.artifacts {
            writer.put(artifact.node)
            writer.put(artifact.path)
            writer.put(artifact.object)
        }
        writer.put(self.instances.count)
        for instance in self.instances {
            writer.put(instance.node)
            writer.put(instance.key.digest.hex)
            writer.put(String(instance.bytes))
            writer.put(instance.isDeclared ? 1 : 0)
            writer.put(instance.isLazy ? 1 : 0)
        }
        writer.put(self.overlays.count)
        for overlay in self.overlays {
            writer.put(overlay.node)
            writer.put(overlay.folders.count)
            for folder in overlay.folders { writer.put(folder) }
            writer.put(overlay.anchors)
            writer.put(overlay.nested)
        }
        writer.put(self.unsettled)
        writer.put(self.policies.hex)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for diagnostics in [self.warnings, self.unavailable] {
            // Diagnostics consist of texts and numbers, which always encode.
            writer.put(String(decoding: (try? encoder.encode(diagnostics)) ?? Data(), as: UTF8.self))
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote; nil where it is anything else.
    init?(bytes: some RandomAccessCollection<UInt8>) {
        let read = bytes.withContiguousStorageIfAvailable { CheckedManifests(buffer: $0) }
        guard let manifests = read ?? nil else { return nil }
        self = manifests
    }

    private init?(buffer: UnsafeBufferPointer<UInt8>) {
        var reader = ByteReader(buffer)
        do throws(ByteReader.Broken) {
            self.files = try reader.list { reader throws(ByteReader.Broken) in
                File(path: try reader.text(), object: try reader.text())
            }
            let (files, nodes) = (self.files.count, try reader.peek())
            self.nodes = try reader.list { reader throws(ByteReader.Broken) in
                Node(
                    name: try reader.text(),
                    file: try reader.number(below: files),
                    references: try reader.numbers(below: nodes)
                )
            }
            self.artifacts = try reader.list { reader throws(ByteReader.Broken) in
                Artifact(node: try reader.number(below: nodes), path: try reader.text(), object: try reader.text())
            }
            let all = self.nodes
            self.instances = try reader.list { reader throws(ByteReader.Broken) in
                let node = try reader.number(below: nodes)
                guard let model = ResourceIdentity(all[node].name), let key = Digest(hex: try reader.text()),
                    let bytes = Int64(try reader.text())
                else { throw ByteReader.Broken() }
                return Instance(
                    node: node,
                    model: model,
                    key: InstanceKey(key),
                    bytes: bytes,
                    isDeclared: try reader.number(below: 2) == 1,
                    isLazy: try reader.number(below: 2) == 1
                )
            }
            self.overlays = try reader.list { reader throws(ByteReader.Broken) in
                Overlay(
                    node: try reader.number(below: nodes),
                    folders: try reader.list { reader throws(ByteReader.Broken) in try reader.text() },
                    anchors: try reader.numbers(below: files),
                    nested: try reader.numbers(below: files)
                )
            }
            self.unsettled = try reader.numbers(below: nodes)
            guard let policies = Digest(hex: try reader.text()) else { return nil }
            self.policies = policies
            self.warnings = try reader.diagnostics()
            self.unavailable = try reader.diagnostics()
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}

/// Writes numbers and texts one after the other.
private struct ByteWriter {
    var bytes: [UInt8] = []

    /// - Parameter number: Not negative, and less than 2³².
    mutating func put(_ number: Int) {
        withUnsafeBytes(of: UInt32(number).littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        self.put(text.utf8.count)
        self.bytes.append(contentsOf: text.utf8)
    }

    mutating func put(_ numbers: [Int]) {
        self.put(numbers.count)
        for number in numbers { self.put(number) }
    }
}

/// Reads what ``ByteWriter`` wrote, and trusts none of it.
private struct ByteReader {
    /// What is read is not what was written.
    struct Broken: Error {}

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = UnsafeRawBufferPointer(bytes)
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// The next number, which stays the next one.
    func peek() throws(Broken) -> Int {
        guard self.bytes.count - self.position >= 4 else { throw Broken() }
        let number = self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt32.self)
        return Int(UInt32(littleEndian: number))
    }

    mutating func number() throws(Broken) -> Int {
        let number = try self.peek()
        self.position += 4
        return number
    }

    mutating func number(below end: Int) throws(Broken) -> Int {
        let number = try self.number()
        guard number < end else { throw Broken() }
        return number
    }

    /// The length of a list, each element of which takes four bytes at least.
    private mutating func count() throws(Broken) -> Int {
        let count = try self.number()
        guard count <= (self.bytes.count - self.position) / 4 else { throw Broken() }
        return count
    }

    mutating func text() throws(Broken) -> String {
        let count = try self.number()
        guard count <= self.bytes.count - self.position else { throw Broken() }
        let text = String(validating: self.bytes[self.position..<self.position + count], as: UTF8.self)
        guard let text else { throw Broken() }
        self.position += count
        return text
    }

    mutating func numbers(below end: Int) throws(Broken) -> [Int] {
        try self.list { reader throws(Broken) in try reader.number(below: end) }
    }

    mutating func list<Element>(_ element: (inout Self) throws(Broken) -> Element) throws(Broken) -> [Element] {
        let count = try self.count()
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try element(&self)) }
        return elements
    }

    mutating func diagnostics() throws(Broken) -> [Diagnostic] {
        let data = Data(try self.text().utf8)
        guard let diagnostics = try? JSONDecoder().decode([Diagnostic].self, from: data) else { throw Broken() }
        return diagnostics
    }
}
