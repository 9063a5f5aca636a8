"""The vendors' official SDKs against genwire-sim: they must accept the simulator as the vendor.

Usage: sdk_check.py http://127.0.0.1:PORT
"""

import base64
import json
import struct
import sys
import traceback

import anthropic
import google.auth.credentials
import groq
import openai
from google import genai
from google.genai import types

SIM = sys.argv[1]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
QUESTION = "What is the weather in Paris, and the clock?"
passed = failed = 0


def check(name, body):
    global passed, failed
    try:
        body()
    except Exception:
        failed += 1
        print(f"not ok: {name}\n{traceback.format_exc(limit=-3)}")
    else:
        passed += 1
        print(f"ok: {name}")


def expect(condition, what=""):
    if not condition:
        raise AssertionError(what)


# ---- OpenAI, Azure, Groq: one dialect, three SDKs

FUNCTIONS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "current_clock", "parameters": {"type": "object", "properties": {}}}},
]


def chat_completions(name, client, model, refusal, extra=None):
    def create(**arguments):
        return client.chat.completions.create(model=model, **(extra or {}), **arguments)

    def unary():
        answer = create(messages=[{"role": "user", "content": "Hello there"}])
        expect(answer.choices[0].message.content.startswith("You asked: Hello there"))
        expect(answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0)

    def stream():
        text = ""
        for chunk in create(messages=[{"role": "user", "content": "Hello there"}], stream=True):
            if chunk.choices and chunk.choices[0].delta and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
        expect("You asked: Hello there" in text, text)

    def tools():
        messages = [{"role": "user", "content": QUESTION}]
        first = create(messages=messages, tools=FUNCTIONS).choices[0]
        expect(first.finish_reason == "tool_calls" and len(first.message.tool_calls) == 2)
        expect(json.loads(first.message.tool_calls[0].function.arguments) == {"city": "Paris"})
        messages.append({"role": "assistant", "tool_calls": [call.model_dump() for call in first.message.tool_calls]})
        messages += [{"role": "tool", "tool_call_id": c.id, "content": f"{c.function.name} is fine"} for c in first.message.tool_calls]
        second = create(messages=messages, tools=FUNCTIONS).choices[0]
        expect("get_weather is fine" in second.message.content)

    def streamed_tools():
        calls = {}
        for chunk in create(messages=[{"role": "user", "content": QUESTION}], tools=FUNCTIONS, stream=True):
            if not chunk.choices or not chunk.choices[0].delta:
                continue
            for piece in chunk.choices[0].delta.tool_calls or []:
                entry = calls.setdefault(piece.index, ["", ""])
                entry[0] += piece.function.name or ""
                entry[1] += piece.function.arguments or ""
        expect([c[0] for c in calls.values()] == ["get_weather", "current_clock"], str(calls))
        expect(json.loads(calls[0][1]) == {"city": "Paris"})

    def schema():
        answer = create(
            messages=[{"role": "user", "content": "Which city is Paris?"}],
            response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}},
        )
        expect("city" in json.loads(answer.choices[0].message.content))

    def image():
        answer = create(
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}},
                    ],
                }
            ]
        )
        expect("1 image" in answer.choices[0].message.content)

    def models():
        expect(len(list(client.models.list())) > 0)

    def error():
        try:
            create(messages=[])
        except refusal as caught:
            expect(caught.status_code == 400, str(caught))
        else:
            raise AssertionError("an empty conversation was taken")

    for body in (unary, stream, tools, streamed_tools, schema, image, models, error):
        check(f"{name}: {body.__name__}", body)


chat_completions("openai", openai.OpenAI(base_url=SIM + "/v1", api_key="k", max_retries=0), "gpt-4o", openai.BadRequestError)
chat_completions(
    "azure_openai",
    openai.AzureOpenAI(azure_endpoint=SIM, api_version="2024-10-21", api_key="k", max_retries=0),
    "gpt-4o",
    openai.BadRequestError,
)
chat_completions("groq", groq.Groq(base_url=SIM, api_key="k", max_retries=0), "llama-3.3-70b-versatile", groq.BadRequestError)


def responses(name, client, model, thinker):
    functions = [{"type": "function", "strict": False, **tool["function"]} for tool in FUNCTIONS]
    include = ["reasoning.encrypted_content"]

    def create(question, **arguments):
        return client.responses.create(model=model, input=question, store=False, **arguments)

    def unary():
        answer = create("Hello there", instructions="You are brief.")
        expect(answer.output_text.startswith("You asked: Hello there") and answer.status == "completed")
        expect(answer.usage.total_tokens > 0 and answer.usage.input_tokens_details.cached_tokens == 0)

    def stream():
        text = ""
        with client.responses.stream(model=model, input="Hello there", store=False) as events:
            for event in events:
                if event.type == "response.output_text.delta":
                    text += event.delta
            final = events.get_final_response()
        expect(text == final.output_text and "You asked: Hello there" in text, text)

    def thinking_tools():
        conversation = [{"role": "user", "content": QUESTION}]
        arguments = dict(model=thinker, tools=functions, store=False, include=include, reasoning={"summary": "auto"})
        with client.responses.stream(input=conversation, **arguments) as events:
            for _ in events:
                pass
            first = events.get_final_response()
        kinds = [item.type for item in first.output]
        expect(kinds == ["reasoning", "function_call", "function_call"], str(kinds))
        expect(first.output[0].encrypted_content and first.output[0].summary[0].text)
        expect(json.loads(first.output[1].arguments) == {"city": "Paris"})
        conversation += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
        conversation += [
            {"type": "function_call_output", "call_id": item.call_id, "output": f"{item.name} is fine"}
            for item in first.output
            if item.type == "function_call"
        ]
        second = client.responses.create(input=conversation, **arguments)
        expect("get_weather is fine" in second.output_text)

    def schema():
        form = {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}
        expect("city" in json.loads(create("Which city is Paris?", text={"format": form}).output_text))

    def image():
        content = [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL},
        ]
        expect("1 image" in create([{"role": "user", "content": content}]).output_text)

    def search():
        answer = create("Hello there", tools=[{"type": "web_search"}])
        expect([item.type for item in answer.output] == ["web_search_call", "message"])
        citation = answer.output[1].content[0].annotations[0]
        expect(citation.type == "url_citation" and citation.url.startswith("https://example.org/"))

    def incomplete():
        answer = create("Tell me a long story, please", max_output_tokens=16)
        expect(answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens")

    def count():
        expect(90 < client.responses.input_tokens.count(model=model, input="word " * 80).input_tokens < 110)

    def errors():
        refused = [
            dict(input="x", model=model, stop=["x"]), dict(input="x", model=thinker, temperature=0.5),
            dict(input="x", model=model, tools=FUNCTIONS), dict(input="x", model="missing-model"),
            dict(input="x", model=model, max_output_tokens=3), dict(input="x", model=model, include=include),
            dict(input=[{"type": "function_call_output", "call_id": "c", "output": "x"}], model=model),
        ]
        for body in refused:
            try:
                client.responses.create(model=body.pop("model"), input=body.pop("input"), extra_body=body)
            except openai.BadRequestError as caught:
                expect(caught.message, str(caught))
            else:
                raise AssertionError(f"{body} was taken")

    for body in (unary, stream, thinking_tools, schema, image, search, incomplete, count, errors):
        check(f"{name}: {body.__name__}", body)


responses("responses", openai.OpenAI(base_url=SIM + "/v1", api_key="k", max_retries=0), "gpt-4o", "gpt-5-mini")
responses(
    "azure responses", openai.OpenAI(base_url=SIM + "/openai/v1", api_key="k", max_retries=0), "gpt-4o", "gpt-5-mini"
)


def azure_missing():
    client = openai.AzureOpenAI(azure_endpoint=SIM, api_version="2024-10-21", azure_ad_token="t", max_retries=0)
    try:
        client.chat.completions.create(model="missing-deployment", messages=[{"role": "user", "content": "x"}])
    except openai.NotFoundError as caught:
        expect(caught.code == "DeploymentNotFound")
    else:
        raise AssertionError("an unknown deployment answered")


def groq_reasoning():
    client = groq.Groq(base_url=SIM, api_key="k", max_retries=0)
    answer = client.chat.completions.create(
        model="qwen/qwen3-32b", messages=[{"role": "user", "content": "x"}], reasoning_format="parsed"
    )
    expect(answer.choices[0].message.reasoning and answer.x_groq.id)


def embeddings(name, client, model):
    def vectors():
        whole = client.embeddings.create(model=model, input=["one", "two"])
        expect(len(whole.data) == 2 and len(whole.data[0].embedding) == 1536 and whole.usage.prompt_tokens > 0)
        floats = client.embeddings.create(model=model, input="one", encoding_format="float", dimensions=8)
        expect(len(floats.data[0].embedding) == 8)
        packed = client.embeddings.create(model=model, input="one", encoding_format="base64", dimensions=8)
        raw = base64.b64decode(packed.data[0].embedding)
        expect(all(abs(a - b) < 1e-6 for a, b in zip(struct.unpack("<8f", raw), floats.data[0].embedding)))

    def refusals():
        for arguments in ({"input": ""}, {"input": ["x"] * 2049}, {"input": "x", "dimensions": 4000}):
            try:
                client.embeddings.create(model=model, **arguments)
            except openai.BadRequestError:
                continue
            raise AssertionError(f"taken: {list(arguments)}")

    for body in (vectors, refusals):
        check(f"{name}: embeddings: {body.__name__}", body)


embeddings("openai", openai.OpenAI(base_url=SIM + "/v1", api_key="k", max_retries=0), "text-embedding-3-small")
embeddings(
    "azure_openai",
    openai.AzureOpenAI(azure_endpoint=SIM, api_version="2024-10-21", api_key="k", max_retries=0),
    "text-embedding-3-small",
)
check("azure_openai: unknown deployment", azure_missing)
check("groq: reasoning", groq_reasoning)

# ---- Claude, native and on Vertex AI

CLAUDE_TOOLS = [
    {"name": "get_weather", "description": "The weather", "input_schema": SCHEMA},
    {"name": "current_clock", "input_schema": {"type": "object", "properties": {}}},
]


def claude(name, client, model, has_models):
    def ask(content, **arguments):
        return client.messages.create(
            model=model, max_tokens=4000, messages=[{"role": "user", "content": content}], **arguments
        )

    def unary():
        answer = ask("Hello there", system="You are brief.")
        expect(answer.content[0].text.startswith("You asked: Hello there") and answer.stop_reason == "end_turn")

    def stream():
        with client.messages.stream(
            model=model, max_tokens=100, messages=[{"role": "user", "content": "Hello there"}]
        ) as events:
            expect("You asked: Hello there" in "".join(events.text_stream))
            expect(events.get_final_message().usage.output_tokens > 1)

    def thinking_tools():
        thinking = {"type": "adaptive"}
        messages = [{"role": "user", "content": QUESTION}]
        with client.messages.stream(
            model=model, max_tokens=4000, messages=messages, tools=CLAUDE_TOOLS, thinking=thinking
        ) as events:
            first = events.get_final_message()
        kinds = [block.type for block in first.content]
        expect(kinds == ["thinking", "tool_use", "tool_use"], str(kinds))
        messages.append({"role": "assistant", "content": [b.model_dump(exclude_none=True, exclude={"caller"}) for b in first.content]})
        messages.append(
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": block.id, "content": f"{block.name} is fine"}
                    for block in first.content
                    if block.type == "tool_use"
                ],
            }
        )
        second = client.messages.create(
            model=model, max_tokens=4000, messages=messages, tools=CLAUDE_TOOLS, thinking=thinking
        )
        expect("get_weather is fine" in second.content[-1].text)

    def schema():
        answer = ask("Which city is Paris?", output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
        expect("city" in json.loads(answer.content[0].text))

    def image():
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        answer = ask([{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}])
        expect("1 image" in answer.content[0].text)

    def count():
        counted = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "word " * 80}])
        expect(90 < counted.input_tokens < 110)

    def models():
        expect(len(list(client.models.list())) > 0)

    def error():
        try:
            ask([])
        except anthropic.BadRequestError as caught:
            expect(caught.body["error"]["type"] == "invalid_request_error")
        else:
            raise AssertionError("an empty message was taken")

    def split_batch():
        call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
        other = {**call, "id": "toolu_2"}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
        messages = [
            {"role": "user", "content": "x"}, {"role": "assistant", "content": [call, other]},
            {"role": "user", "content": [result]},
        ]
        try:
            client.messages.create(model=model, max_tokens=10, messages=messages, tools=CLAUDE_TOOLS)
        except anthropic.BadRequestError as caught:
            expect("toolu_2" in str(caught))
        else:
            raise AssertionError("half a batch was taken")

    for body in (unary, stream, thinking_tools, schema, image, count, error, split_batch) + ((models,) if has_models else ()):
        check(f"{name}: {body.__name__}", body)


claude("anthropic", anthropic.Anthropic(base_url=SIM, api_key="k", max_retries=0), "claude-opus-4-6", True)
claude(
    "anthropic_vertex",
    anthropic.AnthropicVertex(base_url=SIM + "/v1", region="us-east5", project_id="p", access_token="t", max_retries=0),
    "claude-opus-4-6",
    False,
)

# ---- Gemini, on Vertex AI and as the Gemini API


class Fixed(google.auth.credentials.Credentials):
    """A credential that needs no token server."""

    def __init__(self):
        super().__init__()
        self.token = "t"

    def refresh(self, request):
        self.token = "t"


def gemini(name, client, model, images):
    declarations = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="get_weather", description="The weather", parameters_json_schema=SCHEMA),
            types.FunctionDeclaration(name="current_clock", description="The time"),
        ]
    )
    manual = types.AutomaticFunctionCallingConfig(disable=True)

    def unary():
        config = types.GenerateContentConfig(system_instruction="You are brief.", temperature=0.5)
        answer = client.models.generate_content(model=model, contents="Hello there", config=config)
        expect(answer.text.startswith("You asked: Hello there"))
        expect(answer.candidates[0].finish_reason == types.FinishReason.STOP)

    def stream():
        chunks = list(client.models.generate_content_stream(model=model, contents="Hello there"))
        expect("You asked: Hello there" in "".join(chunk.text or "" for chunk in chunks))
        expect(chunks[-1].usage_metadata.candidates_token_count > 0)

    def thinking_tools():
        config = types.GenerateContentConfig(
            tools=[declarations], automatic_function_calling=manual,
            thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="LOW"),
        )
        contents = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
        first = client.models.generate_content(model=model, contents=contents, config=config)
        calls = first.function_calls
        expect([call.name for call in calls] == ["get_weather", "current_clock"])
        contents.append(first.candidates[0].content)
        parts = [
            types.Part(function_response=types.FunctionResponse(id=c.id, name=c.name, response={"result": f"{c.name} is fine"}))
            for c in calls
        ]
        contents.append(types.Content(role="user", parts=parts))
        second = client.models.generate_content(model=model, contents=contents, config=config)
        expect("get_weather is fine" in second.text)

    def schema():
        config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=SCHEMA)
        answer = client.models.generate_content(model=model, contents="Which city is Paris?", config=config)
        expect("city" in json.loads(answer.text))

    def image():
        part = types.Part.from_bytes(data=b"123", mime_type="image/png")
        answer = client.models.generate_content(model=model, contents=["What is this?", part])
        expect("1 image" in answer.text)

    def count():
        expect(90 < client.models.count_tokens(model=model, contents="word " * 80).total_tokens < 110)

    def embeddings():
        for embedder in ("gemini-embedding-001", "text-embedding-005"):
            if name != "vertex" and embedder.startswith("text"):
                continue
            config = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=8)
            answer = client.models.embed_content(model=embedder, contents=["one", "two"], config=config)
            expect([len(e.values) for e in answer.embeddings] == [8, 8])
        try:
            client.models.embed_content(model="gemini-embedding-001", contents=["x"] * 101)
        except genai.errors.ClientError as caught:
            expect(caught.code == 400 and "100 requests" in caught.message)
        else:
            raise AssertionError("101 texts were taken")

    def models():
        expect(len(list(client.models.list())) > 0)

    def error():
        contents = [types.Content(role="invalid_role", parts=[types.Part(text="x")])]
        try:
            client.models.generate_content(model=model, contents=contents)
        except genai.errors.ClientError as caught:
            expect(caught.code == 400 and "valid role" in caught.message)
        else:
            raise AssertionError("a wrong role was taken")

    for body in (unary, stream, thinking_tools, schema, image, count, embeddings, models, error):
        check(f"{name}: {body.__name__}", body)


gemini(
    "vertex",
    genai.Client(
        vertexai=True, project="p", location="global", credentials=Fixed(),
        http_options=types.HttpOptions(base_url=SIM),
    ),
    "gemini-3-pro-preview",
    True,
)
gemini(
    "gemini", genai.Client(api_key="k", http_options=types.HttpOptions(base_url=SIM)), "gemini-3-pro-preview", True
)

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
