internal import Schema

extension ParameterRules {
    /// Of a request to infer.
    static let infer = ParameterRules(honoured: ["id", "model_name", "inputs", "outputs", "parameters"])

    /// Of its `parameters`.
    static let inferParameters = ParameterRules(
        honoured: ["binary_data_output", "priority", "timeout"],
        neutral: ["sequence_id": [0, ""], "sequence_start": [false], "sequence_end": [false]]
    )

    /// Of one of its `inputs`.
    static let inferInput = ParameterRules(honoured: ["name", "shape", "datatype", "parameters", "data"])

    /// Of an input's `parameters`.
    static let inferInputParameters = ParameterRules(honoured: ["binary_data_size"], refused: Self.sharedMemory)

    /// Of one of its `outputs`.
    static let inferOutput = ParameterRules(honoured: ["name", "parameters"])

    /// Of an output's `parameters`.
    static let inferOutputParameters = ParameterRules(
        honoured: ["binary_data"],
        refused: Self.sharedMemory,
        neutral: ["classification": [0]]
    )

    /// Of a request to generate.
    static let generate = ParameterRules(honoured: ["id", "text_input", "parameters"])

    /// Of its `parameters`.
    static let generateParameters = ParameterRules(
        honoured: [
            "stream", "max_tokens", "temperature", "top_p", "seed", "stop", "frequency_penalty", "presence_penalty",
        ],
        neutral: ["exclude_input_in_output": [true]]
    )

    private static let sharedMemory = ["shared_memory_region", "shared_memory_offset", "shared_memory_byte_size"]
}
