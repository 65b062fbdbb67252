"""The providers' own SDKs, used raw, take what the fake server sends for the real thing."""

from __future__ import annotations

import anthropic
import httpx2
import openai
import pytest

from capbox.messages import Json

ENTRY: dict[str, Json] = {
    "text": "Hello, world",
    "thinking": "hmm, hmm",
    "tool_calls": [
        {"name": "read", "arguments": {"path": "é.txt", "limit": 10}},
        {"name": "glob", "arguments": {}},
    ],
    "usage": {
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read_tokens": 5,
        "cache_write_tokens": 3,
    },
}
ASKED: list[dict[str, str]] = [{"role": "user", "content": "Go."}]


def anthropic_at(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        api_key="k", base_url=url, max_retries=0, http_client=httpx2.Client(trust_env=False)
    )


def openai_at(url: str) -> openai.OpenAI:
    return openai.OpenAI(
        api_key="k", base_url=url + "/v1", max_retries=0, http_client=httpx2.Client(trust_env=False)
    )


def assert_whole_anthropic(message: anthropic.types.Message) -> None:
    thinking, text, read, glob = message.content
    assert (thinking.type, thinking.thinking) == ("thinking", "hmm, hmm")
    assert (text.type, text.text) == ("text", "Hello, world")
    assert (read.name, read.input) == ("read", {"path": "é.txt", "limit": 10})
    assert (glob.name, glob.input) == ("glob", {})
    assert read.id != glob.id
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (11, 7)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5, 3)


def test_anthropic_reads_a_whole_message(serve) -> None:
    client = anthropic_at(serve([ENTRY]).url)
    assert_whole_anthropic(client.messages.create(model="m", max_tokens=9, messages=ASKED))


def test_anthropic_puts_a_stream_together_to_the_same_message(serve) -> None:
    client = anthropic_at(serve([ENTRY]).url)
    with client.messages.stream(model="m", max_tokens=9, messages=ASKED) as stream:
        kinds = [event.type for event in stream]
        assert_whole_anthropic(stream.get_final_message())
    # Arguments come in several parts, as they do from the provider.
    assert kinds.count("input_json") > 4
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")


def test_openai_reads_a_whole_completion(serve) -> None:
    client = openai_at(serve([ENTRY]).url)
    completion = client.chat.completions.create(model="m", messages=ASKED)
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello, world", "tool_calls")
    assert [(c.function.name, c.function.arguments) for c in choice.message.tool_calls] == [
        ("read", '{"path": "\\u00e9.txt", "limit": 10}'),
        ("glob", "{}"),
    ]
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (19, 7, 26)
    assert usage.prompt_tokens_details.cached_tokens == 5


def test_openai_puts_a_stream_together_and_gets_usage_only_when_asked(serve) -> None:
    client = openai_at(serve([ENTRY]).url)
    for options, totals in (({"include_usage": True}, [26]), ({"include_usage": False}, [])):
        chunks = list(
            client.chat.completions.create(
                model="m", messages=ASKED, stream=True, stream_options=options
            )
        )
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        assert "".join(delta.content or "" for delta in deltas) == "Hello, world"
        parts = [part for delta in deltas for part in delta.tool_calls or []]
        read = [part.function.arguments for part in parts if part.index == 0]
        assert "".join(read) == '{"path": "\\u00e9.txt", "limit": 10}'
        assert len(read) > 2
        assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == totals


@pytest.mark.parametrize(
    ("fault", "anthropic_error", "openai_error"),
    [
        ({"status": 401}, anthropic.AuthenticationError, openai.AuthenticationError),
        ({"status": 429}, anthropic.RateLimitError, openai.RateLimitError),
        ({"status": 500}, anthropic.InternalServerError, openai.InternalServerError),
        ({"status": 529}, anthropic.InternalServerError, openai.InternalServerError),
    ],
)
def test_a_refused_request_is_the_sdks_own_error(
    serve,
    fault: Json,
    anthropic_error: type[anthropic.APIStatusError],
    openai_error: type[openai.APIStatusError],
) -> None:
    with pytest.raises(anthropic_error) as refused:
        client = anthropic_at(serve([{"fault": fault}]).url)
        client.messages.create(model="m", max_tokens=9, messages=ASKED)
    assert refused.value.message.count("scripted fault") == 1
    with pytest.raises(openai_error) as refused_too:
        openai_at(serve([{"fault": fault}]).url).chat.completions.create(model="m", messages=ASKED)
    assert "scripted fault" in refused_too.value.message


def test_the_sdks_own_retry_gets_past_a_fault(serve) -> None:
    server = serve([{"text": "Hi", "fault": {"status": 429, "retry_after": 0.001}}])
    message = (
        anthropic_at(server.url)
        .with_options(max_retries=1)
        .messages.create(model="m", max_tokens=9, messages=ASKED)
    )
    assert message.content[0].text == "Hi"
