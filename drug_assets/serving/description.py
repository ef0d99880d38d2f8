"""The description of the questions, as OpenAPI: what `/openapi.json` answers."""

from __future__ import annotations

from typing import Any

from drug_assets.serving.questions import QUESTIONS, Parameter, Question

_VERSION = "3.1.0"


def describe_questions(version: str) -> dict[str, Any]:
    """The questions as an OpenAPI document.

    Args:
        version: that of the package.
    """
    return {
        "openapi": _VERSION,
        "info": {
            "title": "drug_assets",
            "summary": "Who writes about our drugs, where, since when.",
            "version": version,
        },
        "servers": [{"url": "."}],
        "paths": {f"/api/{question.name}": {"get": _describe(question)} for question in QUESTIONS},
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {"type": "string", "description": "What is wrong, for people."},
                        "close_spellings": {"type": "array", "items": {"type": "string"}},
                        "close_codes": {"type": "array", "items": {"type": "string"}},
                    },
                }
            }
        },
    }


def _describe(question: Question) -> dict[str, Any]:
    def error(description: str) -> dict[str, Any]:
        schema = {"$ref": "#/components/schemas/Error"}
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    return {
        "operationId": question.name,
        "summary": question.summary,
        "parameters": [_describe_parameter(parameter) for parameter in question.parameters],
        "responses": {
            "200": {
                "description": f"As `drug-assets {question.name} --json` answers.",
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "The release."}},
                "content": {"application/json": {"schema": {}}},
            },
            "304": {"description": "The release is the one of If-None-Match."},
            "400": error("A parameter is missing, is not known or has a wrong value."),
            "404": error("No such drug, class, journal, file or publication."),
            "503": error("There is no release, or too many questions wait."),
        },
    }


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.maximum is not None:
        schema |= {"minimum": 0, "maximum": parameter.maximum}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.required,
        "schema": schema,
    }
