extension ChatTemplate {
    /// Recognises the format from the texts that a model's own template writes; nil when it writes none that is known.
    package init?(detectedIn source: String) {
        let match = Self.markers.first { _, markers in markers.allSatisfy(source.contains) }
        guard let match else { return nil }
        self = match.template
    }

    /// Texts that only one format writes. The first entry whose texts all occur wins, so narrower ones stand first.
    private static let markers: [(template: ChatTemplate, markers: [String])] = [
        (.phi4, ["<|im_start|>", "<|im_sep|>"]),
        (.qwen, ["<|im_start|>user", "<tool_call>", "<tool_response>"]),
        (.chatML, ["<|im_start|>", "<|im_end|>"]),
        (.llama3, ["<|start_header_id|>", "<|eot_id|>"]),
        (.gemma, ["<start_of_turn>", "<end_of_turn>"]),
        (.granite, ["<|start_of_role|>", "<|end_of_role|>"]),
        (.commandR, ["<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"]),
        (.deepSeek3, ["<｜User｜>", "<｜Assistant｜>"]),
        (.phi3, ["<|user|>", "<|assistant|>", "<|end|>"]),
        (.zephyr, ["<|user|>", "<|assistant|>", "eos_token"]),
        (.mistralV7, ["[INST]", "[SYSTEM_PROMPT]"]),
        (.llama2, ["[INST]", "<<SYS>>"]),
        (.mistralV1, ["[INST] ", " [/INST]"]),
        (.mistralV3, ["[INST] ", "[/INST]"]),
        (.deepSeek2, ["User: ", "Assistant: ", "eos_token"]),
        (.vicuna, ["USER: ", "ASSISTANT: "]),
        (.alpaca, ["### Instruction:", "### Response:\n\n"]),
        (.alpaca, ["### Instruction:", "### Response:\\n"]),
    ]
}
