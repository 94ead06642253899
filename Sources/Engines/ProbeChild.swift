internal import Foundation
internal import Glibc
internal import Planning
internal import Schema
internal import Subprocess

/// The child's side of a probe: opens one model, warms it up, measures it, and says so on its standard output.
package enum ProbeChild {
    /// The hidden argument with which the executable becomes a probe.
    package static let argument = "probe-child"

    /// Serves one request and ends the process.
    ///
    /// It ends as soon as its standard input closes, so it cannot outlive the process that started it.
    package static func run() -> Never {
        ChildService.serve { (request: ProbeRequest) in
            ProbeChild.apply(request.limits)
            do {
                return try ProbeChild.probe(request)
            } catch let error as MartletError {
                throw error
            } catch {
                throw MartletError("ProbeFailed", "\(error)")
            }
        }
    }

    private static func probe(_ request: ProbeRequest) throws -> ProbeReport {
        let clock = ContinuousClock()
        let start = clock.now
        let before = ProbeChild.residentBytes()
        let directory = EngineDirectory(
            searchPath: request.searchPath,
            log: EngineLog { engine, level, message in
                if level == .error || level == .warning { ChildService.complain("\(engine): \(message)") }
            }
        )
        let loaded = try directory.engine(named: request.engine).open(request.opening)
        let description: ModelDescription
        switch loaded {
        case .completion(let model):
            description = model.description
        case .language(let model):
            description = model.description
            let session = try model.makeSession()
            let texts = request.warmUp.isEmpty ? [.init(text: "Hello.", maxTokens: 4)] : request.warmUp
            for text in texts { try ProbeChild.warmUp(text, model, session) }
        case .tensor(let model):
            description = model.description
            try ProbeChild.runOnZeros(model)
        case .tensorService(let model):
            description = model.description
        }
        let elapsed = (clock.now - start).components
        return ProbeReport(
            description: description,
            measuredBytes: description.measuredTensorBytes ?? max(ProbeChild.residentBytes() - before, 0),
            seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        )
    }

    /// Computes one text, and a few tokens after it where the model generates.
    private static func warmUp(
        _ request: ProbeRequest.WarmUp,
        _ model: any LanguageModel,
        _ session: any LanguageSession
    ) throws {
        let prefix = model.description.addsBeginningToken ? model.beginningToken.map { [$0] } ?? [] : []
        let text = try model.tokenize([TextSegment(request.text, parseSpecial: false)])
        var tokens = Array((prefix + text).prefix(model.description.contextLength - 1))
        guard !tokens.isEmpty else { return }
        if !model.description.generates, let ending = model.endingToken { tokens.append(ending) }
        defer { session.removeTokens(ofSequence: 0, from: 0, to: nil) }
        var last = 0
        for start in stride(from: 0, to: tokens.count, by: session.batchLimit) {
            let end = min(start + session.batchLimit, tokens.count)
            last = end - start - 1
            try session.decode(
                (start..<end).map { index in
                    BatchEntry(
                        token: tokens[index],
                        position: Int32(index),
                        sequence: 0,
                        wantsLogits: index == tokens.count - 1
                    )
                }
            )
        }
        guard model.description.generates else {
            _ = try session.embedding(ofSequence: 0)
            return
        }
        try ProbeChild.generate(after: tokens.count, from: last, request, model, session)
    }

    private static func generate(
        after count: Int,
        from index: Int,
        _ request: ProbeRequest.WarmUp,
        _ model: any LanguageModel,
        _ session: any LanguageSession
    ) throws {
        var greedy = SamplingParameters()
        greedy.temperature = 0
        let sampler = try session.makeSampler(greedy)
        let end = min(count + min(request.maxTokens ?? 4, 16), model.description.contextLength)
        var index = index
        for position in count..<max(end, count) {
            let token = try sampler.sample(at: index)
            if model.endsGeneration(token) { return }
            try session.decode([
                BatchEntry(token: token, position: Int32(position), sequence: 0, wantsLogits: true)
            ])
            index = 0
        }
    }

    private static func apply(_ limits: ProbeLimits) {
        ChildService.limit(.core, to: 0)
        if let seconds = limits.cpuSeconds { ChildService.limit(.cpuSeconds, to: seconds) }
        if let bytes = limits.addressSpace { ChildService.limit(.addressSpace, to: bytes) }
    }

    /// The resident memory of this process, in bytes.
    private static func residentBytes() -> Int64 {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        let pages = fields.count > 1 ? Int64(fields[1]) ?? 0 : 0
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

extension ModelDescription {
    /// What a model of tensors takes as its engine has measured it. Of a process that opened a single small model most is
    /// the runtime and its code, which thousands of models share.
    fileprivate var measuredTensorBytes: Int64? {
        let bytes = self.weightBytes + self.sessionBytes
        return self.tensors == nil || bytes == 0 ? nil : bytes
    }
}
