"""The pipeline's stages and the rooms behind them. No stage depends on this file: it makes nothing of an output."""

from stages.runtime.interpreter import explain_missing_packages

explain_missing_packages()
