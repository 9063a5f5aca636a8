#!/usr/bin/env python3
"""Reduces the model map of the Python package litellm to Sources/Providers/Catalogue/models.json.

usage: models.py MAP.json VERSION > models.json

The output has one model per line, sorted by its key's bytes, because the daemon finds a model by binary search over
the lines. A fact that the map does not state is left out: an absent flag does not mean "no".
"""

import json
import sys
from decimal import Decimal

PROVIDERS = {
    "openai": "openai",
    "azure": "azure_openai",
    "anthropic": "anthropic",
    "vertex_ai-anthropic_models": "anthropic_vertex",
    "vertex_ai-language-models": "vertex",
    "vertex_ai-embedding-models": "vertex",
    "vertex_ai": "vertex",
    "gemini": "gemini",
    "groq": "groq",
}
MODES = {"chat": "chat", "responses": "chat", "embedding": "embedding"}
PREFIXES = ("azure/", "vertex_ai/", "gemini/", "groq/")
PRICES = {
    "input_price": "input_cost_per_token",
    "output_price": "output_cost_per_token",
    "cached_input_price": "cache_read_input_token_cost",
    "cache_write_price": "cache_creation_input_token_cost",
}
FLAGS = {
    "tools": "supports_function_calling",
    "parallel_tool_calls": "supports_parallel_function_calling",
    "forced_tools": "supports_forced_tool_use",
    "always_thinks": "thinking_always_on",
    "prefill": "supports_assistant_prefill",
    "mid_conversation_system": "supports_mid_conversation_system",
    "prompt_caching": "supports_prompt_caching",
    "cache_breakpoints": "supports_prompt_cache_breakpoint",
}
LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def name_of(key, provider):
    """The vendor's name of the model; None for entries that only price a region, or are no model of ours."""
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    if provider == "azure_openai" and "/" in key:
        return None
    if key.endswith("@default"):
        return None
    if provider == "vertex" and "/" in key:
        return None
    if key == "container" or key.endswith("/container"):
        return None
    return key.lower()


def efforts(entry, provider):
    if "reasoning_effort_levels" in entry:
        return entry["reasoning_effort_levels"]
    flags = {level: entry.get(f"supports_{level}_reasoning_effort") for level in LEVELS}
    if all(value is None for value in flags.values()):
        return None
    usual = {"low", "medium", "high"}
    return [level for level in LEVELS if flags[level] or (level in usual and flags[level] is not False)]


def modalities(entry):
    given = [word for word in entry.get("supported_modalities", []) if word != "code"]
    words = given or ["text"]
    for word, flag in (
        ("image", "supports_vision"), ("pdf", "supports_pdf_input"), ("audio", "supports_audio_input"),
        ("video", "supports_video_input"),
    ):
        if entry.get(flag) is True and word not in words:
            words.append(word)
    # Without one of these, the map says nothing.
    return words if given or "supports_vision" in entry else None


def reduced(entry, provider):
    facts = {}
    if entry["mode"] == "embedding":
        facts["kind"] = "embedding"
    for ours, theirs in (("context_window", "max_input_tokens"), ("max_output_tokens", "max_output_tokens")):
        if isinstance(entry.get(theirs), int) and entry[theirs] > 0:
            facts[ours] = entry[theirs]
    # For these, the map gives what a request may fill of OpenAI's window of 400,000 or 1,050,000 tokens.
    if facts.get("context_window") in (272_000, 922_000) and "openai" in provider and "max_output_tokens" in facts:
        facts["context_window"] += facts["max_output_tokens"]
    if facts.get("kind") == "embedding":
        facts.pop("max_output_tokens", None)
        if "output_vector_size" in entry:
            facts["dimensions"] = entry["output_vector_size"]
    else:
        inputs = modalities(entry)
        if inputs:
            facts["input"] = inputs
        if entry.get("supported_output_modalities"):
            facts["output"] = entry["supported_output_modalities"]
        for ours, theirs in FLAGS.items():
            if isinstance(entry.get(theirs), bool):
                facts[ours] = entry[theirs]
        schema = "supports_native_structured_output" if "anthropic" in provider else "supports_response_schema"
        if entry.get(schema) or entry.get("supports_output_config"):
            facts["json_schema"] = True
        if entry.get("supports_sampling_params") is False:
            facts["temperature"] = facts["top_p"] = facts["top_k"] = False
        if efforts(entry, provider):
            facts["efforts"] = efforts(entry, provider)
        if "default_reasoning_effort" in entry:
            facts["default_effort"] = entry["default_reasoning_effort"]
        endpoints = [
            ours for ours, path in (("chat", "/v1/chat/completions"), ("responses", "/v1/responses"))
            if path in entry.get("supported_endpoints", [])
        ]
        if provider in ("openai", "azure_openai"):
            if entry["mode"] == "responses":
                endpoints = ["responses"]
            if endpoints:
                facts["endpoints"] = endpoints
        if "prompt_cache_min_tokens" in entry:
            facts["prompt_cache_min_tokens"] = int(entry["prompt_cache_min_tokens"])
    for ours, theirs in PRICES.items():
        if isinstance(entry.get(theirs), (int, float)) and (entry[theirs] > 0 or ours == "input_price"):
            price = (Decimal(str(entry[theirs])) * 1_000_000).normalize()
            facts[ours] = int(price) if price == price.to_integral() else float(price)
    if "deprecation_date" in entry:
        facts["retires_on"] = entry["deprecation_date"]
    return facts


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        entries = json.load(file)
    models = {}
    for key, entry in entries.items():
        provider = PROVIDERS.get(entry.get("litellm_provider"))
        if provider is None or entry.get("mode") not in MODES:
            continue
        name = name_of(key, provider)
        if name is not None:
            models.setdefault(f"{provider}/{name}", reduced(entry, provider))
    print("{")
    print(f'"source": "litellm {sys.argv[2]} (MIT), model_prices_and_context_window_backup.json",')
    print('"models": {')
    keys = sorted(models, key=lambda key: key.encode())
    for key in keys:
        facts = json.dumps(models[key], separators=(",", ":"), sort_keys=True)
        print(f"{json.dumps(key)}: {facts}" + ("," if key != keys[-1] else ""))
    print("}}")


main()
