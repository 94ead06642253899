extension ChatTemplate {
    /// The format, as its makers publish it. The beginning-of-sequence token in front is not part of it.
    var format: TurnFormat {
        switch self {
        case .alpaca: .alpaca
        case .chatML: TurnFormat(open: "<|im_start|>", close: "\n", after: "<|im_end|>\n")
        case .commandR: .commandR
        case .deepSeek2: .deepSeek2
        case .deepSeek3: .deepSeek3
        case .gemma: .gemma
        case .granite: TurnFormat(open: "<|start_of_role|>", close: "<|end_of_role|>", after: "<|end_of_text|>\n")
        case .llama2: .llama2
        case .llama3:
            TurnFormat(
                open: "<|start_header_id|>",
                close: "<|end_header_id|>\n\n",
                after: "<|eot_id|>",
                trims: true,
                tool: "ipython"
            )
        case .mistralV1: .mistralV1
        case .mistralV3: .mistralV3
        case .mistralV7: .mistralV7
        case .phi3: TurnFormat(open: "<|", close: "|>\n", after: "<|end|>\n")
        case .phi4: TurnFormat(open: "<|im_start|>", close: "<|im_sep|>", after: "<|im_end|>")
        case .qwen: TurnFormat(open: "<|im_start|>", close: "\n", after: "<|im_end|>\n", tool: "user")
        case .vicuna: .vicuna
        case .zephyr: TurnFormat(open: "<|", close: "|>\n", after: "</s>\n")
        }
    }
}

extension TurnFormat {
    fileprivate static let alpaca = TurnFormat(
        system: .ownTurn(Turn("", "\n\n")),
        user: Turn("### Instruction:\n", "\n\n"),
        assistant: Turn("### Response:\n", "\n\n"),
        cue: "### Response:\n"
    )

    fileprivate static let commandR = TurnFormat(
        system: .ownTurn(Turn("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>", "<|END_OF_TURN_TOKEN|>")),
        user: Turn("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        assistant: Turn("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        cue: "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        trims: true
    )

    fileprivate static let deepSeek2 = TurnFormat(
        system: .ownTurn(Turn("", "\n\n")),
        user: Turn("User: ", "\n\n"),
        assistant: Turn("Assistant: ", "<｜end▁of▁sentence｜>"),
        cue: "Assistant:"
    )

    fileprivate static let deepSeek3 = TurnFormat(
        system: .ownTurn(Turn("", "")),
        user: Turn("<｜User｜>", ""),
        assistant: Turn("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        cue: "<｜Assistant｜>"
    )

    fileprivate static let gemma = TurnFormat(
        system: .firstUserTurn(Turn("", "\n\n")),
        user: Turn("<start_of_turn>user\n", "<end_of_turn>\n"),
        assistant: Turn("<start_of_turn>model\n", "<end_of_turn>\n"),
        cue: "<start_of_turn>model\n",
        trims: true
    )

    fileprivate static let llama2 = TurnFormat(
        system: .firstUserTurn(Turn("<<SYS>>\n", "\n<</SYS>>\n\n")),
        user: Turn("[INST] ", " [/INST]"),
        assistant: Turn(" ", " </s><s>"),
        cue: "",
        trims: true
    )

    fileprivate static let mistralV1 = TurnFormat(
        system: .firstUserTurn(Turn("", "\n\n")),
        user: Turn("[INST] ", " [/INST]"),
        assistant: Turn(" ", "</s>"),
        cue: ""
    )

    fileprivate static let mistralV3 = TurnFormat(
        system: .lastUserTurn(Turn("", "\n\n")),
        user: Turn("[INST] ", "[/INST]"),
        assistant: Turn(" ", "</s>"),
        tool: Turn("[TOOL_RESULTS] ", "[/TOOL_RESULTS]"),
        toolList: Turn("[AVAILABLE_TOOLS] ", "[/AVAILABLE_TOOLS]"),
        toolCalls: Turn("[TOOL_CALLS] ", "</s>"),
        cue: ""
    )

    fileprivate static let mistralV7 = TurnFormat(
        system: .ownTurn(Turn("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]")),
        user: Turn("[INST] ", "[/INST]"),
        assistant: Turn(" ", "</s>"),
        tool: Turn("[TOOL_RESULTS] ", "[/TOOL_RESULTS]"),
        toolList: Turn("[AVAILABLE_TOOLS] ", "[/AVAILABLE_TOOLS]"),
        toolCalls: Turn("[TOOL_CALLS] ", "</s>"),
        cue: ""
    )

    fileprivate static let vicuna = TurnFormat(
        system: .ownTurn(Turn("", " ")),
        user: Turn("USER: ", " "),
        assistant: Turn("ASSISTANT: ", "</s>"),
        cue: "ASSISTANT:"
    )
}
