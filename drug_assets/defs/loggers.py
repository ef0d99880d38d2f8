"""The logger of runs: text for people, or JSON lines for Cloud Logging (`drug_assets.logs`)."""

import logging

import dagster as dg

from drug_assets import logs


def make_console_logger(*, as_json: bool) -> dg.LoggerDefinition:
    """The logger that replaces Dagster's own console logger."""

    @dg.logger(config_schema={"log_level": dg.Field(str, is_required=False, default_value="INFO")})
    def logger(context: dg.InitLoggerContext) -> logging.Logger:
        runs_logger = logging.getLogger("drug_assets.runs")
        runs_logger.setLevel(context.logger_config["log_level"])
        runs_logger.handlers = [logs.make_handler(as_json=as_json)]
        runs_logger.propagate = False
        return runs_logger

    return logger
