"""Plots, tables and the HTML report: what people look at."""
