"""How runs log: text for people, JSON lines for Cloud Logging (`drug_assets.logs`)."""

import logging

import dagster as dg

from drug_assets import logs


def console(*, as_json: bool) -> dg.LoggerDefinition:
    """The logger that takes the place of Dagster's own console logger."""

    @dg.logger(config_schema={"log_level": dg.Field(str, is_required=False, default_value="INFO")})
    def logger(context: dg.InitLoggerContext) -> logging.Logger:
        found = logging.getLogger("drug_assets.runs")
        found.setLevel(context.logger_config["log_level"])
        found.handlers = [logs.handler(as_json=as_json)]
        found.propagate = False
        return found

    return logger
