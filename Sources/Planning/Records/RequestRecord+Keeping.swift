package import Schema

extension RequestRecord {
    /// The record as far as an endpoint's `log` has it kept: without inputs and outputs that it does not want, but
    /// nothing is blackened yet. What a request was, where it went and what became of it is always kept.
    package func kept(under log: EndpointSpec.Log) -> RequestRecord {
        self.isPayloadKept(under: log) ? self : self.withoutPayload
    }

    /// Whether inputs and outputs are kept; the same for a record with the same id and status, whoever asks.
    package func isPayloadKept(under log: EndpointSpec.Log) -> Bool {
        let isWanted =
            switch log.payloads {
            case .all: true
            case .errors: self.status != RequestRecord.ok && self.status != RequestRecord.cancelled
            case .none: false
            }
        guard isWanted, log.sample < 1 else { return isWanted }
        return RequestRecord.share(of: self.id) < log.sample
    }

    /// A number from 0 up to 1 that belongs to a request's id.
    ///
    /// FNV-1a, and MurmurHash3's finalizer, since the former alone leaves the upper bits of short texts alike.
    private static func share(of id: String) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return Double((hash ^ hash >> 33) >> 11) / Double(1 << 53)
    }

    private var withoutPayload: RequestRecord {
        var record = self
        record.input = nil
        record.parameters = nil
        record.output = nil
        record.steps = record.steps.map(\.withoutPayload)
        return record
    }
}

extension StepRecord {
    fileprivate var withoutPayload: StepRecord {
        var step = self
        step.input = nil
        step.prompt = nil
        step.output = nil
        // Where they stand is no payload.
        for index in step.passages.indices { step.passages[index].text = "" }
        step.children = step.children.map(\.withoutPayload)
        return step
    }
}

extension RequestRecord {
    /// The record with every text in it blackened: keys, numbers and what errors quote included.
    package func redacted(_ redactor: Redactor) -> RequestRecord {
        var record = self
        record.input = record.input.map(redactor.redact)
        record.parameters = record.parameters.map(redactor.redact)
        record.output = record.output.map(redactor.redact)
        record.errorMessage = record.errorMessage.map(redactor.redact)
        record.steps = record.steps.map { $0.redacted(redactor) }
        return record
    }
}

extension StepRecord {
    fileprivate func redacted(_ redactor: Redactor) -> StepRecord {
        var step = self
        step.input = step.input.map(redactor.redact)
        step.prompt = step.prompt.map(redactor.redact)
        step.output = step.output.map(redactor.redact)
        step.errorMessage = step.errorMessage.map(redactor.redact)
        for index in step.passages.indices {
            step.passages[index].text = redactor.redact(step.passages[index].text)
        }
        for index in step.guards.indices { step.guards[index].detail = redactor.redact(step.guards[index].detail) }
        step.children = step.children.map { $0.redacted(redactor) }
        return step
    }
}
