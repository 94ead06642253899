// The texts of the starter repository, as they are written.

extension StarterFiles {
    static let readme = #"""
        # A first Martlet repository

        What stands in this repository's newest commit is what runs.

        | path | what |
        |---|---|
        | `models/greeter.yaml` | a model; here a recording, `models/answers.jsonl`, that needs no model file |
        | `prompts/greeting.yaml` | the prompt, with one variable |
        | `chains/hello.yaml` | the steps from a message to an answer |
        | `endpoints/hello.yaml` | the endpoint `hello`, open to everybody who reaches the port |
        | `.martletignore` | files that Martlet does not read |

        ## Start

            martlet validate
            git init
            git add --all
            git commit -m "Begin"
            martlet run

        In another terminal:

            martlet status
            curl http://127.0.0.1:8080/v1/chat/completions \
                -H 'content-type: application/json' \
                -d '{"model": "hello", "messages": [{"role": "user", "content": "Hello"}]}'

        ## Change

        Edit the output of a line of `models/answers.jsonl`, then:

            martlet plan
            git commit -am "Say it differently"
            martlet history endpoint/hello

        `martlet plan` shows what the commit would do before it is made. Once it is made, ask again: the new answer is there.
        `martlet rollback endpoint/hello --reason "I liked the old one"` goes back without a commit.

        """#

    static let ignore = #"""
        # Files that Martlet does not read, in the syntax of .gitignore.
        drafts/

        """#

    static let model = #"""
        # A recording: it answers what models/answers.jsonl says, so that everything can be tried without a model file.
        # For a real model, put a GGUF file into this folder, write 'engine: llama', and name the file in 'uri'.
        apiVersion: martlet.dev/v1
        kind: Model
        metadata:
          name: greeter
        spec:
          engine: replay
          source: {uri: models/answers.jsonl}

        """#

    static let answers = #"""
        {"input": {"messages": [{"role": "system", "content": "Answer in one friendly sentence."}, {"role": "user", "content": "Hello"}]}, "output": "Good morning, how nice of you to drop in!"}
        {"input": {"messages": [{"role": "system", "content": "Answer in one friendly sentence."}, {"role": "user", "content": "Who are you?"}]}, "output": "I am a recording that stands in for a model, and I am glad to meet you."}
        {"default": true, "output": "This recording has no answer to that prompt yet: add a line to models/answers.jsonl."}

        """#

    static let prompt = #"""
        apiVersion: martlet.dev/v1
        kind: PromptTemplate
        metadata:
          name: greeting
        spec:
          variables:
            message: {type: string, maxLength: 1000}
          messages:
            - {role: system, content: Answer in one friendly sentence.}
            - {role: user, content: "{{message}}"}
          parameters: {temperature: 0, maxTokens: 60}

        """#

    static let chain = #"""
        # One step: the prompt, answered by the model. Further steps can refer to $.steps.answer.output.
        apiVersion: martlet.dev/v1
        kind: Chain
        metadata:
          name: hello
        spec:
          input:
            schema:
              type: object
              required: [message]
              properties:
                message: {type: string}
          steps:
            - name: answer
              prompt: {template: greeting, model: greeter}
              with: {message: $.input.message}

        """#

    static let endpoint = #"""
        # Where people call: the name goes into 'model' of an OpenAI client.
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata:
          name: hello
        spec:
          serve: {chain: hello}
          # Everybody who reaches the port may ask. Without 'access', nobody may.
          access: {anonymous: true}

        """#
}
