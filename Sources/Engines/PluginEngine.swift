internal import CEngine
package import Planning
package import Schema

/// An engine in a shared library, opened through the C ABI.
package struct PluginEngine: InferenceEngine {
    private let table: EngineTable

    init(table: EngineTable) {
        self.table = table
    }

    package var name: String { self.table.name }
    package var version: String { self.table.version }
    package var accelerators: [String] { self.table.accelerators }

    package func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
        options.sorted { $0.key < $1.key }.compactMap { name, value in
            let strings = CStrings()
            guard var option = PluginEngine.option(name, value, strings) else {
                return OptionProblem(option: name, message: "'\(name)' must be a text, a number, true or false")
            }
            return withExtendedLifetime(strings) {
                do throws(EngineFailure) {
                    try EngineFailure.check { self.table.checkOption(&option, $0) }
                    return nil
                } catch {
                    return OptionProblem(option: name, message: error.message)
                }
            }
        }
    }

    package func open(_ opening: ModelOpening) throws -> LoadedModel {
        if let problem = self.problems(inOptions: opening.options).first {
            throw MartletError("InvalidOption", "model '\(opening.file)': \(problem.message)")
        }
        try self.requireAccelerator(of: opening)
        var model: OpaquePointer?
        do throws(EngineFailure) {
            try PluginEngine.withOpening(opening) { request throws(EngineFailure) in
                try EngineFailure.check { self.table.openModel(&request, &model, $0) }
            }
        } catch {
            throw error.error("ModelRefused", "model '\(opening.file)' cannot be opened")
        }
        guard let model else { throw EngineTable.unusable(self.table.library, "it opened no model and gave no reason") }
        return try self.loaded(PluginHandle(table: self.table, model: model), opening)
    }

    /// A model by what it says that it can do.
    private func loaded(_ handle: PluginHandle, _ opening: ModelOpening) throws -> LoadedModel {
        let description = try handle.describe()
        if description.output_count > 0, let functions = self.table.tensors {
            return .tensor(try PluginTensorModel(handle, functions: functions, description: description))
        }
        if let functions = self.table.language {
            let adapters = opening.adapters.map(\.name)
            return .language(
                PluginModel(handle, functions: functions, description: description, adapters: adapters)
            )
        }
        throw MartletError("ModelUnsupported", "model '\(opening.file)' has no outputs; nothing can be asked of it")
    }

    private static func withOpening(
        _ opening: ModelOpening,
        _ body: (inout martlet_opening) throws(EngineFailure) -> Void
    ) throws(EngineFailure) {
        let strings = CStrings()
        let options = opening.options.compactMap { PluginEngine.option($0.key, $0.value, strings) }
        let adapters = opening.adapters.map {
            martlet_adapter(file: strings.copy($0.file), scale: Float($0.scale))
        }
        let outcome: Result<Void, EngineFailure> = options.withUnsafeBufferPointer { options in
            adapters.withUnsafeBufferPointer { adapters in
                var request = martlet_opening(
                    struct_size: UInt32(MemoryLayout<martlet_opening>.size),
                    threads: Int32(clamping: max(opening.threads, 1)),
                    file: strings.copy(opening.file),
                    adapters: adapters.baseAddress,
                    adapter_count: adapters.count,
                    options: options.baseAddress,
                    option_count: options.count,
                    accelerator: opening.accelerator.flatMap { strings.copy($0) }
                )
                return Result { () throws(EngineFailure) in try body(&request) }
            }
        }
        withExtendedLifetime(strings) {}
        try outcome.get()
    }

    /// The C form of one option; nil for what C has no form for.
    private static func option(_ name: String, _ value: JSONValue, _ strings: CStrings) -> martlet_option? {
        var option = martlet_option()
        option.name = strings.copy(name)
        switch value {
        case .bool(let boolean):
            option.kind = MARTLET_OPTION_BOOL
            option.boolean = boolean
        case .integer(let integer):
            option.kind = MARTLET_OPTION_INTEGER
            option.integer = integer
        case .number(let number):
            option.kind = MARTLET_OPTION_NUMBER
            option.number = number
        case .string(let text):
            option.kind = MARTLET_OPTION_TEXT
            option.text = strings.copy(text)
        case .null, .array, .object:
            return nil
        }
        return option
    }
}
